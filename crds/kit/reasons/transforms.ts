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
  NotAvro: {
    meaning: 'A key or value is not Avro of its schema.',
    advice: `Check which schema it was written with. ${aside}`,
  },
  NotFramed: {
    meaning: 'A key or value does not begin with the id of a schema, as Confluent’s serializers write it.',
    advice: `Use \`avro.schema\` for bare Avro. ${aside}`,
  },
  UnknownField: {
    meaning: 'A field is not in the schema, and would be lost.',
    advice: `Use \`remove\`, or add it to the schema. ${aside}`,
  },
  MissingField: {
    meaning: 'A field of the schema is missing, and has no default.',
    advice: `Use \`set\`, or give it a default. ${aside}`,
  },
  AmbiguousUnion: {
    meaning: 'A value fits several branches of a union, so that nobody knows which is meant.',
    advice: `Change the schema. ${aside}`,
  },
  SchemaNotFound: {
    meaning: 'The registry does not have a schema, or a subject. It is asked again; records wait.',
    advice: 'Register the schema, or correct `registry.url` and `subject`.',
  },
  SchemaUnsupported: {
    meaning: 'A schema of the registry cannot be used, or the registry does not take one; the message says why.',
    advice: 'Correct the schema, or its compatibility in the registry.',
  },
  RegistryUnavailable: {
    meaning: 'The schema registry does not answer, or answers with an error. It is asked again; records wait.',
    advice: 'Check its address, DNS and NetworkPolicies from inside the cluster.',
  },
  RegistryRefused: {
    meaning: 'The schema registry does not accept the credentials.',
    advice: 'Correct the Secret that the message names a field for.',
  },
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
