/**
 * What a compressed payload will take once decompressed, read from its frames alone: so that memory is counted, and a
 * bomb refused, before anything is allocated.
 */
import { Cursor } from './varint.ts'

/** A payload that is not what its codec writes. */
const broken = (codec: string): RangeError => new RangeError(`the ${codec} data is broken`)

/**
 * Bytes of the decompressed payload: exact, but for zstd frames that do not tell it: they take no more than this. Throws
 * a RangeError for broken frames and for a codec that Kafka does not define.
 */
export function decodedSize(codec: number, payload: Buffer): number {
  const measure = measures[codec]
  if (measure === undefined) throw new RangeError(`unknown compression codec ${codec}`)
  return measure(payload)
}

/** The last four bytes of a gzip member are its size (RFC 1952): Kafka's clients write one member. */
function gzipSize(payload: Buffer): number {
  if (payload.length < 18) throw broken('gzip')
  return payload.readUInt32LE(payload.length - 4)
}

const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const xerialHeader = 16

/** One raw block, or blocks in the framing of Java's library, each behind its length. A block begins with its size. */
function snappySize(payload: Buffer): number {
  if (!payload.subarray(0, xerialMagic.length).equals(xerialMagic)) return blockSize(payload)
  let size = 0
  let at = xerialHeader
  while (at < payload.length) {
    if (at + 4 > payload.length) throw broken('snappy')
    const end = at + 4 + payload.readUInt32BE(at)
    if (end > payload.length) throw broken('snappy')
    size += blockSize(payload.subarray(at + 4, end))
    at = end
  }
  return size
}

function blockSize(block: Buffer): number {
  const size = new Cursor(block).unsigned()
  if (size > 0xffff_ffff) throw broken('snappy')
  return size
}

const lz4Magic = 0x184d2204
const uncompressedBlock = 0x8000_0000

/** One frame: a header, blocks each behind its length, and a length of 0. */
function lz4Size(payload: Buffer): number {
  if (payload.length < 7 || payload.readUInt32LE(0) !== lz4Magic) throw broken('lz4')
  const flags = payload.readUInt8(4)
  const told = (flags & 0x08) !== 0
  const blockChecksum = (flags & 0x10) === 0 ? 0 : 4
  let at = 7 + (told ? 8 : 0) + ((flags & 0x01) === 0 ? 0 : 4)
  let size = 0
  for (let length = lz4Length(payload, at); length !== 0; length = lz4Length(payload, at)) {
    const end = at + 4 + (length & 0x7fff_ffff)
    if (end > payload.length) throw broken('lz4')
    size += length >= uncompressedBlock ? end - at - 4 : lz4BlockSize(payload, at + 4, end)
    at = end + blockChecksum
  }
  if (told && payload.readBigUInt64LE(6) !== BigInt(size)) throw broken('lz4')
  return size
}

function lz4Length(payload: Buffer, at: number): number {
  if (at + 4 > payload.length) throw broken('lz4')
  return payload.readUInt32LE(at)
}

/** Adds up literals and matches without copying them. */
function lz4BlockSize(bytes: Buffer, from: number, end: number): number {
  let size = 0
  let at = from
  const more = (length: number): number => {
    let total = length
    if (length < 15) return total
    let byte: number
    do {
      if (at >= end) throw broken('lz4')
      byte = bytes[at++] ?? 0
      total += byte
    } while (byte === 255)
    return total
  }
  while (at < end) {
    const token = bytes[at++] ?? 0
    const literals = more(token >> 4)
    at += literals
    size += literals
    if (at > end) throw broken('lz4')
    // The last sequence has no match.
    if (at === end) return size
    at += 2
    size += more(token & 15) + 4
  }
  return size
}

const zstdMagic = 0xfd2fb528
const zstdSkippable = 0x184d2a50
const zstdBlock = 128 * 1024

function zstdSize(payload: Buffer): number {
  let size = 0
  let at = 0
  while (at < payload.length) {
    if (at + 8 > payload.length) throw broken('zstd')
    const magic = payload.readUInt32LE(at)
    if ((magic & 0xffff_fff0) >>> 0 === zstdSkippable) at += 8 + payload.readUInt32LE(at + 4)
    else if (magic === zstdMagic) {
      const frame = zstdFrame(payload, at + 4)
      size += frame.size
      at = frame.end
    } else throw broken('zstd')
  }
  if (at !== payload.length) throw broken('zstd')
  return size
}

interface Measured {
  readonly size: number
  /** Behind it. */
  readonly end: number
}

/** One frame (RFC 8878, 3.1.1) behind its magic number. */
function zstdFrame(payload: Buffer, start: number): Measured {
  const descriptor = payload[start] ?? 0
  const single = (descriptor & 0x20) !== 0
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0
  const sizeField = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
  const sizeAt = start + 1 + (single ? 0 : 1) + dictionary
  const told = contentSize(payload, sizeAt, sizeField)
  const most = zstdBlocks(payload, sizeAt + sizeField)
  const end = most.end + ((descriptor & 4) === 0 ? 0 : 4)
  if (end > payload.length || (told !== undefined && told > most.size)) throw broken('zstd')
  return { size: told ?? most.size, end }
}

function zstdBlocks(payload: Buffer, start: number): Measured {
  let size = 0
  let at = start
  for (let last = false; !last; ) {
    if (at + 3 > payload.length) throw broken('zstd')
    const header = payload.readUIntLE(at, 3)
    last = (header & 1) !== 0
    const kind = (header >> 1) & 3
    const length = header >> 3
    if (kind === 3 || length > zstdBlock) throw broken('zstd')
    size += kind === 2 ? zstdBlock : length
    // A run is one byte, however long.
    at += 3 + (kind === 1 ? 1 : length)
  }
  return { size, end: at }
}

function contentSize(payload: Buffer, at: number, bytes: number): number | undefined {
  if (at + bytes > payload.length) throw broken('zstd')
  if (bytes === 0) return undefined
  if (bytes === 8) return Number(payload.readBigUInt64LE(at))
  return payload.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0)
}

const measures: readonly ((payload: Buffer) => number)[] = [
  (payload) => payload.length,
  gzipSize,
  snappySize,
  lz4Size,
  zstdSize,
]
