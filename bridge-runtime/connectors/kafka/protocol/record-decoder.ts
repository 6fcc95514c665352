/** The payload of a Kafka record batch → records of the bridge. Whoever wrote it is not trusted. */
import type { BridgeRecord, Header } from '../../../core/contracts.ts'
import { decompress } from './compression.ts'
import { decodedSize } from './decoded-size.ts'
import { at, codecMask, headerSize, logAppendTimeFlag, readInt64, readLong } from './record-batch.ts'
import { timeAfter } from './record-time.ts'
import { Cursor } from './varint.ts'

/** Length, attributes, time, offset, the lengths of key and value, the number of headers: a byte each at least. */
const smallestRecord = 7
/** The lengths of name and value. */
const smallestHeader = 2
/** Bytes of memory that a record takes however small it is: objects for itself and for its key and value. */
const recordMemory = 256

/** Bytes of memory that the records of a whole batch take when decoded. Throws a RangeError where that is impossible. */
export function memoryOf(batch: Buffer): number {
  const size = decodedSize(batch.readInt16BE(at.attributes) & codecMask, batch.subarray(headerSize))
  const count = batch.readInt32BE(at.count)
  if (count * smallestRecord > size) throw new RangeError(`${count} records cannot be in ${size} bytes`)
  return Math.max(size, count * recordMemory)
}

/**
 * The abort marker is type 0 in a control record's key (version, type); 1 is the commit marker. A marker that cannot be
 * read ends the transaction too: otherwise good records behind it were left out.
 */
export function isAbortMarker(batch: Buffer): boolean {
  try {
    const [record] = decodeRecords(batch)
    return record?.key != null && record.key.length >= 4 && record.key.readInt16BE(2) === 0
  } catch (thrown) {
    if (thrown instanceof RangeError) return true
    throw thrown
  }
}

/**
 * The records of a whole batch with offsets of at least `from`. Buffers are slices of the batch (or of its decompressed
 * payload). Throws a RangeError where the data is not what the header says; no more is allocated than `memoryOf` says.
 */
export function decodeRecords(batch: Buffer, from = 0): BridgeRecord[] {
  const attributes = batch.readInt16BE(at.attributes)
  const baseOffset = readInt64(batch, at.baseOffset)
  const baseTimestamp = readLong(batch, at.baseTimestamp)
  const appendTime = (attributes & logAppendTimeFlag) === 0 ? undefined : readInt64(batch, at.maxTimestamp)
  const count = batch.readInt32BE(at.count)
  const codec = attributes & codecMask
  const payload = batch.subarray(headerSize)
  const cursor = new Cursor(codec === 0 ? payload : decompress(codec, payload, decodedSize(codec, payload)))
  const records: BridgeRecord[] = []
  let before = -1
  for (let n = 0; n < count; n++) {
    const end = endOfRecord(cursor)
    cursor.byte() // attributes, unused
    const timestampDelta = cursor.varlong()
    const delta = cursor.varint()
    if (delta <= before) throw new RangeError(`record ${n} has offset ${delta} behind ${before}`)
    before = delta
    const position = baseOffset + delta
    if (position >= from) {
      const key = cursor.varbytes()
      const value = cursor.varbytes()
      const headers = readHeaders(cursor)
      if (cursor.at !== end) throw new RangeError(`record ${n} has another length than it says`)
      records.push({ key, value, headers, timestamp: appendTime ?? timeAfter(baseTimestamp, timestampDelta), position })
    }
    cursor.at = end
  }
  if (cursor.at !== cursor.bytes.length) throw new RangeError(`there is more behind the ${count} records`)
  if (before > batch.readInt32BE(at.lastOffsetDelta)) throw new RangeError('an offset is behind the last of the batch')
  return records
}

function endOfRecord(cursor: Cursor): number {
  const length = cursor.varint()
  const end = cursor.at + length
  if (length < smallestRecord - 1 || end > cursor.bytes.length) throw new RangeError(`a record of ${length} bytes`)
  return end
}

const noHeaders: readonly Header[] = []

function readHeaders(cursor: Cursor): readonly Header[] {
  const count = cursor.count(smallestHeader)
  if (count === 0) return noHeaders
  const headers: Header[] = []
  for (let n = 0; n < count; n++) headers.push({ name: String(cursor.varbytes() ?? ''), value: cursor.varbytes() })
  return headers
}
