/**
 * Whether a batch is where it says it is, and where to go on behind one that is damaged. Length, format and base offset are not
 * under the checksum, so each can be untrue in a batch whose records are whole.
 *
 * What nobody can see: a base offset that moved back, before the position. The broker leaves such a batch out of its answer
 * (it gives the first one whose last offset is not before what is asked for), which is what compaction looks like. Only one
 * that came behind others in an answer was seen, and is not lost.
 */
import {
  type BatchHeader,
  baseOffsetAt,
  checksumHolds,
  headerAt,
  headerSize,
  readHeader,
} from '../../protocol/record-batch.ts'

/** The batch that is expected at the position is damaged, or is not where it belongs: it may be what was asked for when asked again. */
export class DamagedBatch extends Error {
  readonly bytes: Buffer
  /** Whether `bytes` is all of it and nothing else: then what is behind them in the answer can be read. */
  readonly whole: boolean
  /** Where to go on behind it: not behind any record that may be good. */
  readonly resume: { readonly offset: number; readonly aligned: boolean }

  constructor(message: string, damage: Pick<DamagedBatch, 'bytes' | 'whole' | 'resume'>) {
    super(message)
    this.bytes = damage.bytes
    this.whole = damage.whole
    this.resume = damage.resume
  }
}

/** A batch in its answer. */
export interface Placed {
  readonly bytes: Buffer
  readonly at: number
  readonly header: BatchHeader
}

export interface Expected {
  /** The position. */
  readonly next: number
  /** Whether a batch begins there. */
  readonly aligned: boolean
  /** No batch begins before this offset. */
  readonly floor: number
  /** No batch goes to this offset or beyond. */
  readonly end: number
}

/** Why a batch with a good checksum cannot be where it says: the base offset moves the position, so it must fit to what is around. */
export function misplaced(placed: Placed, { next, aligned, floor, end }: Expected): string | undefined {
  const { baseOffset, lastOffset, count, offsets } = placed.header
  if (offsets < 1 || count < 0 || count > offsets) return `it says it has ${count} records in ${offsets} offsets`
  const range = `it says it has offsets ${baseOffset} to ${lastOffset}`
  if (lastOffset >= end) return `${range}, the partition ends at ${end}`
  const least = aligned ? next : floor
  if (lastOffset < next || baseOffset < least) return `${range}, expected was ${Math.max(next, least)}`
  // What continues where the last one ended is where it belongs, whatever comes next.
  if (aligned && baseOffset === next) return undefined
  const following = contradiction(placed, { least, end })
  return following === undefined ? undefined : `${range}, the next begins at ${following}`
}

/** Where the next batch begins, if that is not behind this one and the next one is believed. */
function contradiction(placed: Placed, room: Room): number | undefined {
  const { bytes, at, header } = placed
  const following = baseOffsetAt(bytes, at + header.size)
  if (following === undefined || following > header.lastOffset) return undefined
  return nextMoved(placed, following, room) ? undefined : following
}

/** Where both are: from the least offset on, before the end. */
interface Room {
  readonly least: number
  readonly end: number
}

/**
 * Of two batches that contradict each other, whether the second one moved: where the first has no room before it, or one flipped bit
 * explains the second, and none the first, or only less well.
 */
function nextMoved({ bytes, at, header }: Placed, following: number, { least, end }: Room): boolean {
  const { baseOffset, offsets, lastOffset, size } = header
  const behind = headerIn(bytes, at + size)
  const bound = behind === undefined ? undefined : baseOffsetAt(bytes, at + size + behind.size)
  const roomBefore = following - offsets
  const roomBehind = Math.min(end, bound ?? end) - (behind?.offsets ?? 1)
  if (roomBefore < least) return true
  // One that fills the hole before it has moved out of it.
  if (roomBehind <= lastOffset || roomBefore === least) return false
  const first = oneBitFrom(baseOffset, least, roomBefore)
  const second = oneBitFrom(following, lastOffset + 1, roomBehind)
  if (first.length === 0 || second.length === 0) return second.length > 0
  return second.includes(lastOffset + 1) && !first.includes(least) && !first.includes(roomBefore)
}

/** Whether a hole behind a batch is filled when one bit of its base offset flips: it may be compaction's, too. */
export function mayHaveMoved({ bytes, at, header: { baseOffset, offsets, size, lastOffset } }: Placed): boolean {
  const following = baseOffsetAt(bytes, at + size)
  if (following === undefined || following <= lastOffset + 1) return false
  return oneBitFrom(baseOffset, following - offsets, following - offsets).length > 0
}

const highestBit = 2n ** 62n

/** Offsets from `least` to `most` that differ from this one in one bit. */
function oneBitFrom(offset: number, least: number, most: number): readonly number[] {
  const found: number[] = []
  if (!Number.isSafeInteger(offset) || offset < 0) return found
  for (let bit = 1n; bit <= highestBit; bit *= 2n) {
    const moved = Number(BigInt(offset) ^ bit)
    if (moved >= least && moved <= most) found.push(moved)
  }
  return found
}

/** Undefined where there is no whole batch. */
export function headerIn(bytes: Buffer, at: number): BatchHeader | undefined {
  try {
    return readHeader(bytes, at)
  } catch {
    return undefined
  }
}

/**
 * Where the batch with the position begins behind a place, by the batches' lengths. Whatever is before it is before the
 * position, too: a broker gives it only because of an untrue end.
 */
export function placeOf(
  { next, aligned }: Pick<Expected, 'next' | 'aligned'>,
  bytes: Buffer,
  from: number,
): number | undefined {
  let at = from
  for (let header = headerIn(bytes, at); header !== undefined; header = headerIn(bytes, at)) {
    const { baseOffset, lastOffset } = header
    if (baseOffset === next || (!aligned && baseOffset < next && next <= lastOffset)) return at
    at += header.size
  }
  return undefined
}

/** As many places may look like the batch behind. */
const mostPlaces = 16

/**
 * The header of a batch whose length may be untrue, with the length to where the batch begins that continues its offsets.
 * Undefined where there is none, and for a batch that ends before the `least` offset.
 */
export function headerByNext(bytes: Buffer, at: number, least: number): BatchHeader | undefined {
  if (bytes.length - at < headerSize) return undefined
  const header = headerAt(bytes, at)
  const { lastOffset, offsets, count } = header
  if (lastOffset < least || offsets < 1 || count < 0 || count > offsets) return undefined
  const wanted = Buffer.alloc(8)
  wanted.writeBigInt64BE(BigInt(lastOffset + 1))
  let place = bytes.indexOf(wanted, at + headerSize)
  for (let n = 0; n < mostPlaces && place >= 0; n += 1) {
    const behind = headerIn(bytes, place)
    if (behind !== undefined && checksumHolds(bytes.subarray(place, place + behind.size)))
      return { ...header, size: place - at }
    place = bytes.indexOf(wanted, place + 1)
  }
  return undefined
}

/** Of what its own header says and where the batches behind it begin the nearest one. @param intact its checksum holds */
export function resumeBehind(
  { bytes, at, header }: Placed,
  { next, end }: Pick<Expected, 'next' | 'end'>,
  intact: boolean,
): DamagedBatch['resume'] {
  const { baseOffset, count, offsets, size } = header
  // Its offsets are under the checksum; without it they count where two fields agree, and the place fits.
  const counted = intact ? offsets > 0 && count >= 0 && count <= offsets : baseOffset === next && offsets === count
  const following = firstBehind(bytes, at + size, next)
  const places: number[] = []
  if (counted && offsets > 0 && next + offsets <= end) places.push(next + offsets)
  if (following !== undefined && following > next && following < end) places.push(following)
  return places.length === 0 ? { offset: next + 1, aligned: false } : { offset: Math.min(...places), aligned: true }
}

/** The first offset behind the position at which a batch begins from this place on. */
function firstBehind(bytes: Buffer, from: number, next: number): number | undefined {
  let at = from
  for (
    let header = headerIn(bytes, at);
    header !== undefined && header.baseOffset <= next;
    header = headerIn(bytes, at)
  )
    at += header.size
  return baseOffsetAt(bytes, at)
}
