/**
 * Kafka's record batch, format v2: a header of 61 bytes and the records, perhaps compressed. The checksum covers
 * everything from the attributes on, so the base offset can change without it.
 */
import { crc32c, Writer } from '@platformatic/kafka'
import { int64 } from '../../fields/whole-time.ts'

export const headerSize = 61

export const at = {
  baseOffset: 0,
  length: 8,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
} as const

export const codecMask = 0x07
export const logAppendTimeFlag = 0x08
const transactionalFlag = 0x10
const controlFlag = 0x20

export interface BatchHeader {
  /** Whole length in bytes, header included. */
  readonly size: number
  readonly baseOffset: number
  readonly lastOffset: number
  /** Offsets it takes, under the checksum; `count` is less where compaction removed records. */
  readonly offsets: number
  readonly maxTimestamp: number
  readonly producerId: bigint
  readonly count: number
  readonly transactional: boolean
  readonly control: boolean
  /** 0 where the records are not compressed. */
  readonly codec: number
}

/** What a batch of the oldest formats (before Kafka 0.11) gives: the bridge does not read them. */
export class OldFormatError extends Error {}

/**
 * Reads the header of the batch at a position; undefined when the buffer ends before the batch does. Throws an
 * OldFormatError, and a RangeError where there cannot be a batch. Nothing in it is true before `checksumHolds`, and
 * length, base offset and format are not covered by the checksum.
 */
export function readHeader(bytes: Buffer, start: number): BatchHeader | undefined {
  // The length counts from behind itself. Older formats have the magic byte at the same place.
  if (bytes.length - start < at.magic + 1) return undefined
  const magic = bytes.readInt8(start + at.magic)
  if (magic === 0 || magic === 1) throw new OldFormatError(`record batch in message format v${magic}`)
  const size = bytes.readInt32BE(start + at.length) + at.length + 4
  if (magic !== 2 || size < headerSize) throw new RangeError(`no batch of format v${magic} has ${size} bytes`)
  return bytes.length - start < size ? undefined : headerAt(bytes, start)
}

/** The header's fields as they are, whatever they say: there must be `headerSize` bytes. */
export function headerAt(bytes: Buffer, start: number): BatchHeader {
  const attributes = bytes.readInt16BE(start + at.attributes)
  const baseOffset = readInt64(bytes, start + at.baseOffset)
  const lastOffsetDelta = bytes.readInt32BE(start + at.lastOffsetDelta)
  return {
    size: bytes.readInt32BE(start + at.length) + at.length + 4,
    baseOffset,
    lastOffset: baseOffset + lastOffsetDelta,
    offsets: lastOffsetDelta + 1,
    maxTimestamp: readInt64(bytes, start + at.maxTimestamp),
    producerId: bytes.readBigInt64BE(start + at.producerId),
    count: bytes.readInt32BE(start + at.count),
    transactional: (attributes & transactionalFlag) !== 0,
    control: (attributes & controlFlag) !== 0,
    codec: attributes & codecMask,
  }
}

/** The offset of the batch at a position, also where the buffer ends before the batch does. */
export const baseOffsetAt = (bytes: Buffer, start: number): number | undefined =>
  bytes.length - start < at.length ? undefined : readInt64(bytes, start)

/** Whether a whole batch is as it was when its producer (or broker) wrote the checksum. */
export const checksumHolds = (batch: Buffer): boolean => checksum(batch) === batch.readUInt32BE(at.crc)

/** The client copies a plain buffer before it computes; the one in its own wrapping it takes as it is. */
const checksum = (batch: Buffer): number =>
  crc32c(Writer.create().append(batch.subarray(at.attributes)).dynamicBuffer) >>> 0

/** What the broker needs to know a batch again and to keep batches in order. */
export interface ProducerStamp {
  readonly producerId: bigint
  readonly epoch: number
  readonly sequence: number
}

export interface BatchShape {
  readonly codec: number
  readonly count: number
  /** Each as `kafkaTime` gives it. */
  readonly baseTimestamp: number
  readonly maxTimestamp: number
}

/** Fills the header in front of the payload, all but the stamp and the checksum. */
export function writeHeader(batch: Buffer, shape: BatchShape): void {
  batch.writeBigInt64BE(0n, at.baseOffset)
  batch.writeInt32BE(batch.length - at.length - 4, at.length)
  batch.writeInt32BE(-1, 12) // partition leader epoch: the broker's
  batch.writeInt8(2, at.magic)
  batch.writeInt16BE(shape.codec, at.attributes)
  batch.writeInt32BE(shape.count - 1, at.lastOffsetDelta)
  batch.writeBigInt64BE(int64(shape.baseTimestamp), at.baseTimestamp)
  batch.writeBigInt64BE(int64(shape.maxTimestamp), at.maxTimestamp)
  batch.writeInt32BE(shape.count, at.count)
}

/** Writes producer id, epoch and sequence, and the checksum over all of it. */
export function stampBatch(batch: Buffer, stamp: ProducerStamp): void {
  batch.writeBigInt64BE(stamp.producerId, at.producerId)
  batch.writeInt16BE(stamp.epoch, at.producerEpoch)
  batch.writeInt32BE(stamp.sequence, at.baseSequence)
  batch.writeUInt32BE(checksum(batch), at.crc)
}

/** Offsets stay far below 2^53: as numbers they cost no allocation. Of greater integers this is the nearest number. */
export const readInt64 = (bytes: Buffer, position: number): number =>
  bytes.readInt32BE(position) * 0x1_0000_0000 + bytes.readUInt32BE(position + 4)

/** As `readInt64`, exact: a number where it is a safe one. */
export function readLong(bytes: Buffer, position: number): number | bigint {
  const number = readInt64(bytes, position)
  return Number.isSafeInteger(number) ? number : bytes.readBigInt64BE(position)
}
