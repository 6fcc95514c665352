import { isUtf8 } from 'node:buffer'
import { allDelivered, type BridgeRecord, type SinkBatch, type WriteResult } from '../../core/contracts.ts'
import { heldBack } from '../../core/delivery/held-back.ts'
import { BridgeError } from '../../core/errors.ts'

/** Bytes of the longest line. A few copies of it have room in a pod of 512 MiB; no service holds a record that needs more. */
const longestLine = 64 * 1024 * 1024
/** Bytes of JSON that a byte takes at most: a control character is `\u0000`. */
const worstByte = 6

/** Bytes that a field takes in JSON, before anything is made of it. */
function sizeOf(value: Buffer | null): number {
  if (value === null) return 4
  if (value.length * worstByte < longestLine / 4) return value.length * worstByte
  if (!isUtf8(value)) return Math.ceil(value.length / 3) * 4
  let size = value.length
  // By index: an iterator makes an object for each byte.
  for (let at = 0; at < value.length; at += 1) {
    const byte = value[at] as number
    if (byte < 0x20) size += worstByte - 1
    else if (byte === 0x22 || byte === 0x5c) size += 1
  }
  return size
}

function tooLong({ key, value, headers }: BridgeRecord): BridgeError | undefined {
  let size = sizeOf(key) + sizeOf(value)
  for (const header of headers) size += header.name.length * worstByte + sizeOf(header.value)
  if (size <= longestLine) return undefined
  return new BridgeError(`a line of JSON of it takes up to ${size} bytes, the limit is ${longestLine}`, {
    kind: 'poison',
    reason: 'RecordTooLarge',
  })
}

/** A field as text where it is UTF-8, under `<name>Base64` otherwise; null stays null. */
function field(name: string, value: Buffer | null): Readonly<Record<string, string | null>> {
  if (value === null) return { [name]: null }
  return isUtf8(value) ? { [name]: value.toString() } : { [`${name}Base64`]: value.toString('base64') }
}

function jsonLine(record: BridgeRecord, origin: string): string {
  return JSON.stringify({
    id: `${origin}/${record.position}`,
    ...field('key', record.key),
    ...field('value', record.value),
    headers: record.headers.map(({ name, value }) => ({ name, ...field('value', value) })),
    timestamp: record.timestamp,
  })
}

export interface JsonLines {
  /** A line for each record up to the first that is too large, each with its newline. */
  readonly text: string
  /** What to report once the text is stored. */
  readonly result: WriteResult
}

/** One JSON line per record: `id` is the record's `streambridge-source-id`. */
export function jsonLines(batch: SinkBatch): JsonLines {
  const records = batch.records()
  let text = ''
  for (const [index, record] of records.entries()) {
    const error = tooLong(record)
    if (error === undefined) text += `${jsonLine(record, batch.origin)}\n`
    else {
      const behind = Array.from({ length: records.length - index - 1 }, (_, at) => [index + 1 + at, heldBack] as const)
      return { text, result: new Map([[index, error], ...behind]) }
    }
  }
  return { text, result: allDelivered }
}
