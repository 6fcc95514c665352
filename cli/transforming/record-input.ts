/** Records that a person writes: samples for `transform`, inputs and expectations of `test`. */
import type { BridgeRecord, Header } from '../../bridge-runtime/core/contracts.ts'
import { parseJson, writeJson } from '../../bridge-runtime/values/json.ts'
import { Unfit } from '../../bridge-runtime/values/unfit.ts'
import { isObject, type Value, type ValueObject } from '../../bridge-runtime/values/value.ts'

/** What is wrong with a record that a person wrote; the message says where. */
export class RecordInputError extends Error {}

const fields = ['key', 'keyBase64', 'value', 'valueBase64', 'headers', 'timestamp', 'id', 'position'] as const

/** Text as it is, anything else as JSON; `null` is a record without a value. */
const bytesOf = (value: Value): Buffer | null =>
  value === null ? null : Buffer.from(typeof value === 'string' ? value : writeJson(value))

function part(object: ValueObject, name: 'key' | 'value'): Buffer | null {
  const base64 = object[`${name}Base64`]
  if (typeof base64 === 'string') return Buffer.from(base64, 'base64')
  return bytesOf(object[name] ?? null)
}

/** A map, or a list as the file sink writes it. */
function headersOf(value: Value | undefined): Header[] {
  if (Array.isArray(value))
    return value.filter(isObject).map((header) => ({ name: String(header['name']), value: part(header, 'value') }))
  return isObject(value) ? Object.entries(value).map(([name, text]) => ({ name, value: bytesOf(text) })) : []
}

function timeOf(value: Value | undefined, place: string): number {
  if (value === undefined) return 0
  const time = typeof value === 'string' ? Date.parse(value) : value
  if (typeof time === 'number' && Number.isFinite(time)) return time
  throw new RecordInputError(`${place}: timestamp is milliseconds, or text like 2026-01-31T08:00:00Z`)
}

/**
 * @param place where it stands, for messages
 * @param number how many came before it: its position, where none is given
 */
export function recordFrom(value: Value, place: string, number: number): BridgeRecord {
  if (!isObject(value)) throw new RecordInputError(`${place}: a record is an object with ${fields.join(', ')}`)
  const unknown = Object.keys(value).find((name) => !(fields as readonly string[]).includes(name))
  if (unknown !== undefined)
    throw new RecordInputError(`${place}: unknown field "${unknown}"; a record has ${fields.join(', ')}`)
  const { position, timestamp } = value
  return {
    key: part(value, 'key'),
    value: part(value, 'value'),
    headers: headersOf(value['headers']),
    timestamp: timeOf(timestamp, place),
    position: typeof position === 'number' || typeof position === 'string' ? position : number,
  }
}

/** A line as a record: the line is the value, or, with `whole`, the whole record as JSON. */
export function recordOfLine(
  line: string,
  place: string,
  options: { readonly whole: boolean; readonly number: number },
): BridgeRecord {
  if (!options.whole)
    return { key: null, value: Buffer.from(line), headers: [], timestamp: 0, position: options.number }
  try {
    return recordFrom(parseJson(line), place, options.number)
  } catch (error) {
    if (error instanceof Unfit) throw new RecordInputError(`${place}: ${error.message}`)
    throw error
  }
}
