/** Reasons of what happens to a record on the way: formats and steps. */
import type { ReasonList } from './list.ts'

const aside =
  'Correct the step or the producer; `delivery.onFailure: DeadLetter` sets such records aside with their bytes.'

export const transforms = {
  ExpressionFailed: {
    meaning: 'An expression has no result for a record: a field is missing, or has another type.',
    advice: `Try the record with \`streambridge transform\`. ${aside}`,
  },
  NotJson: { meaning: 'A key or value is not JSON.', advice: `Set \`decode\` to what it is. ${aside}` },
  NotUtf8: { meaning: 'A text is not UTF-8.', advice: `Set \`decode\` to what it is. ${aside}` },
  NotEncodable: { meaning: 'A key or value cannot be written in the format of `encode`.', advice: aside },
  TooDeep: { meaning: 'A value is nested too deeply, or too large, to be worked on.', advice: aside },
  ValueTooLarge: { meaning: 'A value is larger than the limit once it is decoded.', advice: aside },
  NotAnObject: { meaning: 'A field stands in a place that is not an object.', advice: aside },
  FieldExists: {
    meaning: 'A field that `rename` would overwrite is there already.',
    advice: `Remove the field first. ${aside}`,
  },
  NotAnArray: { meaning: 'Something that is not a list is given to `explode`.', advice: aside },
  TooManyParts: { meaning: 'More than 10,000 records would be made of one by `explode`.', advice: aside },
  ParseMismatch: { meaning: 'A text does not have the form that `parse` expects.', advice: aside },
  RedactionKeyTooShort: {
    meaning: 'The key that `redact` hashes with has fewer than 16 bytes. Records wait.',
    advice: 'Put a longer key into the Secret, for instance of `openssl rand -hex 32`.',
  },
  DatabaseMissing: {
    meaning: 'A database that `enrich` looks into is not there, or is none. Records wait until it is.',
    advice: 'Put the file where `volumePath` says: into a volume of the pods or into their image.',
  },
} as const satisfies ReasonList
