/** One fetch answer of one partition → what is in it, by the headers of its batches. Nothing is decoded. */
import {
  DamagedBatch,
  headerByNext,
  headerIn,
  mayHaveMoved,
  misplaced,
  type Placed,
  placeOf,
  resumeBehind,
} from './damaged/damaged-batch.ts'
import { FetchedBatch, type Piece, unreadable } from './fetched.ts'
import { type BatchHeader, baseOffsetAt, checksumHolds, headerSize, OldFormatError } from '../protocol/record-batch.ts'
import { isAbortMarker, memoryOf } from '../protocol/record-decoder.ts'
import type { ToldBatches } from './damaged/told-batches.ts'
import { UnreadableBatch } from './damaged/unreadable-batch.ts'
import { frame } from './damaged/framing.ts'
import type { AbortedTransaction } from '../protocol/wire.ts'

/** Small record batches are handed out together up to this, as the engine's work is per batch. */
const enoughBytes = 256 * 1024
/** The same of what they take once decoded. */
const enoughMemory = 4 * 1024 * 1024

export interface FetchBytes {
  readonly bytes: Buffer
  /** The offset of the first record wanted; a batch may begin before it. */
  readonly from: number
  /** Whether a batch begins at `from`, because the one before it was read: then none may begin before it. */
  readonly aligned: boolean
  /** No batch goes to this offset or beyond; infinite where it is not known. */
  readonly end: number
  /** Batches can be asked for up to this offset: one behind a hole that comes alone before it is fetched again with more room. */
  readonly moreTo?: number
  /** Damaged batches that were set aside: they are passed over wherever they appear. */
  readonly told: ToldBatches
  /** The answer begins before `from` on purpose: whole batches before it are passed over. */
  readonly early?: boolean
  /** Transactions within the bytes to leave out; empty where everything is read. */
  readonly aborted: readonly AbortedTransaction[]
  /** Bytes of memory that one batch may take once decoded: one that takes more is handed out unread, as poison. */
  readonly maxMemory: number
  /** The source's path in the manifest. */
  readonly field: string
}

export interface Scanned {
  readonly batches: readonly (FetchedBatch | UnreadableBatch)[]
  /** The offset to fetch next: behind all that was read or skipped. */
  readonly next: number
  /** See `FetchBytes`. */
  readonly aligned: boolean
  /** Bytes in front that were passed over as `early`. */
  readonly early: number
  /** Whether the first batch, which begins before the position, may have been moved there. */
  readonly moved: boolean
  /** Where the first batch that was read begins. */
  readonly first: number | undefined
  /** Why the scan stopped early: the batch at `next` is a DamagedBatch or in an old format. */
  readonly error?: DamagedBatch | OldFormatError
}

/** Finds the batches in a fetch, by their headers alone. What is skipped behind a batch is settled with it. */
export function scan(fetch: FetchBytes): Scanned {
  const walk: Walk = {
    pieces: [],
    open: undefined,
    next: fetch.from,
    aligned: fetch.aligned,
    first: undefined,
    early: 0,
    floor: undefined,
    moved: false,
  }
  let failure: { error: DamagedBatch | OldFormatError } | undefined
  try {
    walkThrough(fetch, walk)
  } catch (error) {
    if (!(error instanceof DamagedBatch || error instanceof OldFormatError)) throw error
    failure = { error }
  }
  const batches = walk.pieces.map((piece) =>
    piece.unreadable === undefined ? new FetchedBatch(fetch.bytes, piece) : undecoded(fetch.bytes, piece),
  )
  const { next, aligned, first, early, moved } = walk
  return { batches, next, aligned, first, early, moved, ...failure }
}

function undecoded(bytes: Buffer, { at, size, headers, from, next, unreadable: why }: Piece): UnreadableBatch {
  const [{ count, lastOffset, maxTimestamp } = { count: 0, lastOffset: from, maxTimestamp: 0 }] = headers
  return new UnreadableBatch({
    // A copy: what is set aside must not hold the whole answer in memory.
    value: Buffer.from(bytes.subarray(at, at + size)),
    first: from,
    last: lastOffset,
    next,
    timestamp: maxTimestamp,
    poison: unreadable(`the batch of ${count} records at offset ${from}: ${why?.message}`),
  })
}

interface Walk {
  readonly pieces: Piece[]
  /** The piece that the next batch may be added to. */
  open: Piece | undefined
  next: number
  aligned: boolean
  /** The offset of the first batch that was read: what was passed over in front of it does not count. */
  first: number | undefined
  /** See `Scanned`. */
  early: number
  moved: boolean
  /** Where the batches end that were passed over in front, which draw an answer back before the position. */
  floor: number | undefined
}

function walkThrough(fetch: FetchBytes, walk: Walk): void {
  const { bytes, told } = fetch
  const leavesOut = leftOut(fetch)
  let at = fetch.early === true ? passEarlier(fetch, walk, leavesOut) : 0
  walk.early = at
  for (;;) {
    const known = told.find(bytes, at)
    if (known !== undefined) {
      walk.open = undefined
      walk.floor ??= known.floor
      at += known.size
      continue
    }
    const judged = judge(fetch, walk, at)
    if (judged === undefined) return
    if (typeof judged === 'number') {
      walk.open = undefined
      at = judged
      continue
    }
    if (walk.first === undefined) {
      walk.first = judged.baseOffset
      walk.moved = judged.baseOffset < walk.next && mayHaveMoved({ bytes, at, header: judged })
    }
    if (leavesOut(bytes.subarray(at, at + judged.size), judged)) walk.open = undefined
    else put(fetch, walk, { at, header: judged })
    at += judged.size
    walk.next = judged.lastOffset + 1
    walk.aligned = true
    const newest = walk.pieces.at(-1)
    if (newest !== undefined) newest.next = walk.next
  }
}

/** Behind the batches before `from`, in their order. What is damaged there was told when it was read. */
function passEarlier({ bytes, from, told }: FetchBytes, walk: Walk, leavesOut: LeavesOut): number {
  let at = 0
  for (;;) {
    const { floor = 0 } = walk
    const known = told.find(bytes, at)
    if (known !== undefined) {
      at += known.size
      continue
    }
    let header = headerIn(bytes, at)
    if (header === undefined || !checksumHolds(bytes.subarray(at, at + header.size)))
      header = headerByNext(bytes, at, floor)
    if (header === undefined || header.baseOffset < floor || header.lastOffset >= from) return at
    // Where a transaction ends before the position, it ends.
    leavesOut(bytes.subarray(at, at + header.size), header)
    at += header.size
    walk.floor = header.lastOffset + 1
    if (walk.floor === from) walk.aligned = true
  }
}

/**
 * The header at a place, which is true from here on; or where to go on when what is there is before the position; undefined
 * when the answer ends. Throws a DamagedBatch, and an OldFormatError.
 */
function judge(fetch: FetchBytes, walk: Walk, at: number): BatchHeader | number | undefined {
  const { bytes } = fetch
  const expected = { next: walk.next, aligned: walk.aligned, floor: walk.floor ?? 0, end: fetch.end }
  const framed = frame(bytes, at, walk.next)
  if (framed === undefined) return undefined
  const { header, intact, sure } = framed
  const placed: Placed = { bytes, at, header }
  const why = framed.wrong ?? misplaced(placed, expected)
  if (why === undefined) return unproved(placed, walk, fetch.moreTo ?? 0) ? undefined : header
  if (intact && framed.wrong === undefined && wasRead(header, walk)) {
    walk.floor = header.lastOffset + 1
    return at + header.size
  }
  // What is expected here is never before the position, however damaged.
  const place = header.baseOffset === walk.next ? undefined : placeOf(expected, bytes, at + header.size)
  if (place !== undefined) return place
  const resume = resumeBehind(placed, expected, intact)
  throw new DamagedBatch(why, { bytes: bytes.subarray(at, at + header.size), whole: sure, resume })
}

/** Whether it was read before, and comes again behind what draws the answer back. */
const wasRead = ({ baseOffset, lastOffset }: BatchHeader, { floor, first, next }: Walk): boolean =>
  floor !== undefined && first === undefined && baseOffset >= floor && lastOffset < next

/** Behind a hole (compaction makes them) only when the batch behind it agrees, or as the first of an answer where none is due. */
function unproved({ bytes, at, header }: Placed, { next, first }: Walk, moreTo: number): boolean {
  const { baseOffset, lastOffset, size } = header
  if (baseOffset <= next || baseOffsetAt(bytes, at + size) !== undefined) return false
  return first !== undefined || lastOffset + 1 < moreTo
}

interface Found {
  readonly at: number
  readonly header: BatchHeader
}

function put({ bytes, maxMemory, field }: FetchBytes, walk: Walk, { at, header }: Found): void {
  const partial = header.baseOffset < walk.next
  const alone = { at, size: header.size, headers: [header], from: partial ? walk.next : 0, next: 0 }
  let memory: number
  try {
    memory = memoryOf(bytes.subarray(at, at + header.size))
    if (header.count === 0) throw new RangeError(`it holds ${header.size - headerSize} bytes of them`)
    if (memory > maxMemory) throw tooLarge(memory, maxMemory, field)
  } catch (unreadable) {
    if (!(unreadable instanceof Error)) throw unreadable
    walk.pieces.push({ ...alone, from: Math.max(walk.next, header.baseOffset), memory: header.size, unreadable })
    walk.open = undefined
    return
  }
  const open = walk.open
  if (open !== undefined && !partial && fits(open, header, memory)) {
    open.headers.push(header)
    open.size += header.size
    open.memory += memory
    return
  }
  const piece: Piece = { ...alone, memory }
  walk.pieces.push(piece)
  walk.open = partial ? undefined : piece
}

const tooLarge = (memory: number, most: number, field: string): RangeError =>
  new RangeError(
    `decoded it takes ${memory} bytes, ${field}.fetch.maxDecodedBytes is ${most}: raise it and the memory of the pod`,
  )

const fits = (open: Piece, header: BatchHeader, memory: number): boolean =>
  open.size + header.size <= enoughBytes &&
  open.memory + memory <= enoughMemory &&
  open.headers[0]?.codec === header.codec

type LeavesOut = (bytes: Buffer, header: BatchHeader) => boolean

/** Control batches, empty ones (compaction leaves the header alone), and records of aborted transactions. */
function leftOut({ aborted }: FetchBytes): LeavesOut {
  const ahead = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  const producers = new Set<bigint>()
  return (bytes, header) => {
    for (let first = ahead[0]; first !== undefined && first.firstOffset <= header.lastOffset; first = ahead[0]) {
      producers.add(first.producerId)
      ahead.shift()
    }
    if (header.control) {
      if (isAbortMarker(bytes)) producers.delete(header.producerId)
      return true
    }
    if (header.transactional && producers.has(header.producerId)) return true
    return header.count === 0 && header.size === headerSize
  }
}
