/** One fetch answer of one partition → what is in it, by the headers of its batches. Nothing is decoded. */
import { type BatchHeader, baseOffsetAt, checksumHolds, OldFormatError, readHeader } from './record-batch.ts'
import { FetchedBatch, type Piece, unreadable } from './fetched.ts'
import { isAbortMarker, memoryOf } from './record-decoder.ts'
import { UnreadableBatch } from './unreadable-batch.ts'
import type { AbortedTransaction } from './wire.ts'

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
  /** Transactions within the bytes to leave out; empty where everything is read. */
  readonly aborted: readonly AbortedTransaction[]
  /** Bytes of memory that one batch may take once decoded: one that takes more is handed out unread, as poison. */
  readonly maxMemory: number
  /** The source's path in the manifest. */
  readonly field: string
}

/** The batch that is expected at `next` is damaged, or is not where it belongs: it may be what was asked for when asked again. */
export class DamagedBatch extends Error {
  readonly bytes: Buffer
  /** Where to go on behind it: not behind any record that may be good. */
  readonly resume: { readonly offset: number; readonly aligned: boolean }

  constructor(message: string, bytes: Buffer, resume: DamagedBatch['resume']) {
    super(message)
    this.bytes = bytes
    this.resume = resume
  }
}

export interface Scanned {
  readonly batches: readonly (FetchedBatch | UnreadableBatch)[]
  /** The offset to fetch next: behind all that was read or skipped. */
  readonly next: number
  /** See `FetchBytes`. */
  readonly aligned: boolean
  /** Why the scan stopped early: the batch at `next` is a DamagedBatch or in an old format. */
  readonly error?: DamagedBatch | OldFormatError
}

/** Finds the batches in a fetch, by their headers alone. What is skipped behind a batch is settled with it. */
export function scan(fetch: FetchBytes): Scanned {
  const walk: Walk = { pieces: [], open: undefined, next: fetch.from, aligned: fetch.aligned }
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
  return { batches, next: walk.next, aligned: walk.aligned, ...failure }
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
}

function walkThrough(fetch: FetchBytes, walk: Walk): void {
  const { bytes } = fetch
  const leavesOut = leftOut(fetch)
  let at = 0
  for (;;) {
    const header = checkedHeader(fetch, walk, at)
    if (header === undefined) return
    if (leavesOut(bytes.subarray(at, at + header.size), header)) walk.open = undefined
    else put(fetch, walk, { at, header })
    at += header.size
    walk.next = header.lastOffset + 1
    walk.aligned = true
    const newest = walk.pieces.at(-1)
    if (newest !== undefined) newest.next = walk.next
  }
}

/** The header at a place, which is true from here on; undefined when the answer ends. Throws a DamagedBatch. */
function checkedHeader(fetch: FetchBytes, walk: Walk, at: number): BatchHeader | undefined {
  const { bytes } = fetch
  let header: BatchHeader | undefined
  try {
    header = readHeader(bytes, at)
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown
    throw new DamagedBatch(thrown.message, bytes.subarray(at), { offset: walk.next + 1, aligned: false })
  }
  if (header === undefined) return undefined
  const following = baseOffsetAt(bytes, at + header.size)
  const wrong = checksumHolds(bytes.subarray(at, at + header.size))
    ? implausible(header, fetch, walk, following)
    : 'its checksum is wrong'
  if (wrong === undefined) return unproved(header, walk, { at, following }) ? undefined : header
  const raw = bytes.subarray(at, at + header.size)
  throw new DamagedBatch(wrong, raw, resumeBehind(header, fetch, walk, following))
}

/** The base offset is not under the checksum, and moves the position: it must fit to what is around it. */
function implausible(
  { baseOffset, lastOffset, count }: BatchHeader,
  { end }: FetchBytes,
  { next, aligned }: Walk,
  following: number | undefined,
): string | undefined {
  const records = lastOffset - baseOffset + 1
  if (records < 1 || count < 0 || count > records) return `it says it has ${count} records in ${records} offsets`
  const range = `it says it has offsets ${baseOffset} to ${lastOffset}`
  if (lastOffset >= end) return `${range}, the partition ends at ${end}`
  if (lastOffset < next || (baseOffset < next && aligned)) return `${range}, expected was ${next}`
  // What continues where the last one ended is where it belongs, whatever comes next.
  const jumps = baseOffset > next
  if (jumps && following !== undefined && following <= lastOffset) return `${range}, the next begins at ${following}`
  return undefined
}

/** Behind a hole (compaction makes them) only as the first of an answer, or when the batch behind it agrees. */
const unproved = (
  { baseOffset }: BatchHeader,
  { next }: Walk,
  { at, following }: { readonly at: number; readonly following: number | undefined },
): boolean => baseOffset > next && at > 0 && following === undefined

function resumeBehind(
  { baseOffset, lastOffset, count }: BatchHeader,
  { end }: FetchBytes,
  { next }: Walk,
  following: number | undefined,
): DamagedBatch['resume'] {
  if (following !== undefined && following > next && following < end) return { offset: following, aligned: true }
  // Two fields that agree, and a place that fits.
  const whole = baseOffset === next && lastOffset < end && count > 0 && lastOffset - baseOffset + 1 === count
  return whole ? { offset: lastOffset + 1, aligned: true } : { offset: next + 1, aligned: false }
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

/** Control batches, empty ones, and records of aborted transactions. */
function leftOut({ aborted }: FetchBytes): (bytes: Buffer, header: BatchHeader) => boolean {
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
    return header.count === 0 || (header.transactional && producers.has(header.producerId))
  }
}
