/** Records of the bridge → the payload of one Kafka record batch. */
import type { BridgeRecord } from '../../../core/contracts.ts'
import { sourceIdHeader } from '../../../core/contracts.ts'
import type { BatchMemory } from './batch-memory.ts'
import { type Compression, codecNumbers, compress } from './compression.ts'
import { headerSize, writeHeader } from './record-batch.ts'
import { kafkaTime, timeDelta } from './record-time.ts'
import { varintSize, varlongSize, writeVarint, writeVarlong } from './varint.ts'

const sourceIdName = Buffer.from(sourceIdHeader)

const bytesSize = (bytes: Buffer | null): number => (bytes === null ? 1 : varintSize(bytes.length) + bytes.length)

function writeBytes(target: Buffer, position: number, bytes: Buffer | null): number {
  if (bytes === null) return writeVarint(target, position, -1)
  const start = writeVarint(target, position, bytes.length)
  target.set(bytes, start)
  return start + bytes.length
}

/** What a record has of its batch. */
interface Fields {
  readonly prefix: Buffer
  /** From the first record's offset and time. */
  readonly delta: number
  readonly later: number | bigint
}

/** The size of a record without its own length field. */
function recordSize(record: BridgeRecord, prefixLength: number, delta: number, later: number | bigint): number {
  const idLength = prefixLength + String(record.position).length
  let size = 1 + varlongSize(later) + varintSize(delta)
  size += bytesSize(record.key) + bytesSize(record.value) + varintSize(record.headers.length + 1)
  for (const { name, value } of record.headers) {
    const length = Buffer.byteLength(name)
    size += varintSize(length) + length + bytesSize(value)
  }
  return size + varintSize(sourceIdName.length) + sourceIdName.length + varintSize(idLength) + idLength
}

function writeRecord(target: Buffer, start: number, record: BridgeRecord, fields: Fields): number {
  target[start] = 0
  let at = writeVarlong(target, start + 1, fields.later)
  at = writeVarint(target, at, fields.delta)
  at = writeBytes(target, at, record.key)
  at = writeBytes(target, at, record.value)
  at = writeVarint(target, at, record.headers.length + 1)
  for (const { name, value } of record.headers) {
    const length = Buffer.byteLength(name)
    at = writeVarint(target, at, length)
    at += target.write(name, at, length, 'utf8')
    at = writeBytes(target, at, value)
  }
  at = writeBytes(target, at, sourceIdName)
  const position = String(record.position)
  at = writeVarint(target, at, fields.prefix.length + position.length)
  target.set(fields.prefix, at)
  at += fields.prefix.length
  return at + target.write(position, at, position.length, 'latin1')
}

/**
 * About what a record takes in a batch, never less: for cutting batches before they are encoded. `prefix` is
 * `sourcePrefix(origin)`.
 */
export function recordBound(record: BridgeRecord, prefix: Buffer): number {
  // Length, attributes, time, offset, the lengths of key, value and headers: at most 5 + 1 + 10 + 5 + 5 + 5 + 5.
  let size = 36 + (record.key?.length ?? 0) + (record.value?.length ?? 0)
  for (const { name, value } of record.headers) size += 10 + Buffer.byteLength(name) + (value?.length ?? 0)
  return size + 10 + sourceIdName.length + prefix.length + String(record.position).length
}

/** The part of a record's `streambridge-source-id` that a whole batch shares. */
export const sourcePrefix = (origin: string): Buffer => Buffer.from(`${origin}/`)

/** What has to be known of all records before the first is written. By index, and without an object for each record: the hot path. */
function measured(records: readonly BridgeRecord[], prefix: Buffer) {
  const baseTimestamp = kafkaTime(records[0]?.timestamp ?? 0)
  const sizes = new Int32Array(records.length)
  const times: (number | bigint)[] = []
  let total = headerSize
  let maxTimestamp = baseTimestamp
  for (let delta = 0; delta < records.length; delta += 1) {
    const record = records[delta] as BridgeRecord
    const time = kafkaTime(record.timestamp)
    const later = timeDelta(time, baseTimestamp)
    const size = recordSize(record, prefix.length, delta, later)
    sizes[delta] = size
    times.push(later)
    total += varintSize(size) + size
    if (time > maxTimestamp) maxTimestamp = time
  }
  return { sizes, times, total, baseTimestamp, maxTimestamp }
}

/** A whole batch, all but the producer's stamp. At least one record. With `memory` it may be given back there after use. */
export async function encodeBatch(
  records: readonly BridgeRecord[],
  prefix: Buffer,
  compression: Compression,
  memory?: BatchMemory,
): Promise<Buffer> {
  const { sizes, times, total, baseTimestamp, maxTimestamp } = measured(records, prefix)
  const plain = memory?.take(total) ?? Buffer.allocUnsafeSlow(total)
  let at = headerSize
  for (const [delta, record] of records.entries()) {
    at = writeVarint(plain, at, sizes[delta] ?? 0)
    at = writeRecord(plain, at, record, { prefix, delta, later: times[delta] ?? 0 })
  }
  const batch = compression === 'None' ? plain : await compressed(plain, compression)
  if (batch !== plain) memory?.give(plain)
  writeHeader(batch, { codec: codecNumbers[compression], count: records.length, baseTimestamp, maxTimestamp })
  return batch
}

async function compressed(plain: Buffer, compression: Compression): Promise<Buffer> {
  const payload = await compress(compression, plain.subarray(headerSize))
  const batch = Buffer.allocUnsafeSlow(headerSize + payload.length)
  batch.set(payload, headerSize)
  return batch
}
