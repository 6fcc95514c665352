/** What became of an example's records, beside what should have. */
import { isDeepStrictEqual } from 'node:util'
import type { BridgeRecord } from '../../bridge-runtime/core/contracts.ts'
import type { PipelineOptions } from '../../bridge-runtime/pipeline/pipeline.ts'
import { trace } from '../../bridge-runtime/pipeline/trace.ts'
import { parseJson } from '../../bridge-runtime/values/json.ts'
import { Unfit } from '../../bridge-runtime/values/unfit.ts'
import type { Value, ValueObject } from '../../bridge-runtime/values/value.ts'
import { recordFrom } from './record-input.ts'
import type { Example } from './test-file.ts'

/** What differs, a line each; none: the example holds. */
export async function judge(pipeline: PipelineOptions, example: Example): Promise<readonly string[]> {
  const outputs: BridgeRecord[] = []
  let filtered = 0
  for (const [index, input] of example.input.entries()) {
    const made = await trace(pipeline, recordFrom(input as ValueObject, `input[${index}]`, index))
    filtered += made.outputs.length === 0 ? 1 : 0
    outputs.push(...made.outputs)
  }
  const written = outputs.filter(({ poison }) => poison === undefined)
  const poison = outputs.flatMap((output) => output.poison ?? [])
  return [
    ...counts('output', written.length, example.output.length),
    ...counts('filtered', filtered, example.filtered),
    ...counts('poison', poison.length, example.poison.length),
    ...poison.slice(example.poison.length).map(({ reason, message }) => `poison: ${reason}: ${message}`),
    ...example.output.flatMap((expected, index) => {
      const record = written[index]
      return record === undefined ? [] : fieldsOf(expected as ValueObject, record, `output[${index}]`)
    }),
    ...example.poison.flatMap((expected, index) => {
      const error = poison[index]
      if (error === undefined) return []
      const found = { reason: error.reason, ...error.place }
      return Object.entries(expected).flatMap(([field, value]) =>
        `.${found[field as keyof typeof found]}`.endsWith(`.${value}`)
          ? []
          : [`poison[${index}].${field}: ${found[field as keyof typeof found]}, expected ${value} (${error.message})`],
      )
    }),
  ]
}

const counts = (what: string, found: number, expected: number): readonly string[] =>
  found === expected ? [] : [`${what}: ${found} records, expected ${expected}`]

/** Only what is expected is compared. */
function fieldsOf(expected: ValueObject, record: BridgeRecord, place: string): readonly string[] {
  return Object.entries(expected).flatMap(([field, value]) => {
    const found = fieldOf(record, field, value)
    return isDeepStrictEqual(found, value)
      ? []
      : [`${place}.${field}: ${JSON.stringify(found)}, expected ${JSON.stringify(value)}`]
  })
}

function fieldOf(record: BridgeRecord, field: string, expected: Value): Value | undefined {
  switch (field) {
    case 'key':
    case 'value':
      return asExpected(record[field], expected)
    case 'keyBase64':
    case 'valueBase64':
      return record[field === 'keyBase64' ? 'key' : 'value']?.toString('base64') ?? null
    case 'timestamp':
      return typeof expected === 'string'
        ? new Date(record.timestamp).toISOString().replace('.000Z', 'Z')
        : record.timestamp
    case 'headers':
      return Object.fromEntries(
        record.headers.map(({ name, value }) => [name, value === null ? null : value.toString()]),
      )
    default:
      return undefined
  }
}

/** Text is compared with text, and everything else as JSON. */
function asExpected(bytes: Buffer | null, expected: Value): Value {
  if (bytes === null) return null
  const text = bytes.toString()
  if (typeof expected === 'string') return text
  try {
    return parseJson(text)
  } catch (error) {
    if (error instanceof Unfit) return text
    throw error
  }
}
