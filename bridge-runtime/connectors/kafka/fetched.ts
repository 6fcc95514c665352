/** One fetch answer of one partition → batches for the engine, without what must not be read. */
import type { BridgeRecord, OpaqueBytes, SourceBatch } from '../../core/contracts.ts'
import {
  type BatchHeader,
  checksumHolds,
  decodeRecords,
  isAbortMarker,
  opaqueFormat,
  readHeader,
} from './record-batch.ts'
import type { AbortedTransaction } from './wire.ts'

/** Small record batches are handed out together up to this, as the engine's work is per batch. */
const enoughBytes = 256 * 1024

/** How much larger records are than their compressed bytes: learned from each batch that is decoded. */
export interface Expansion {
  ratio: number
}

/** A damaged batch. */
export class ChecksumError extends Error {}

export interface FetchBytes {
  readonly bytes: Buffer
  /** The offset of the first record wanted; a batch may begin before it. */
  readonly from: number
  /** Transactions within the bytes to leave out; empty where everything is read. */
  readonly aborted: readonly AbortedTransaction[]
}

export interface Scanned {
  readonly batches: readonly FetchedBatch[]
  /** The offset to fetch next: behind all that was read or skipped. */
  readonly next: number
  /** Why the scan stopped early: the batch at `next` cannot be read. */
  readonly error?: unknown
}

/** Finds the batches in a fetch, by their headers alone. What is skipped behind a batch is settled with it. */
export function scan(fetch: FetchBytes, expansion: Expansion): Scanned {
  const walk: Walk = { pieces: [], open: undefined, next: fetch.from }
  let failure: { error: unknown } | undefined
  try {
    walkThrough(fetch, walk)
  } catch (error) {
    failure = { error }
  }
  const batches = walk.pieces.map((piece) => new FetchedBatch(fetch.bytes, piece, expansion))
  return { batches: batches.filter(({ count }) => count > 0), next: walk.next, ...failure }
}

interface Walk {
  readonly pieces: Piece[]
  /** The piece that the next batch may be added to. */
  open: Piece | undefined
  next: number
}

function walkThrough(fetch: FetchBytes, walk: Walk): void {
  const { bytes } = fetch
  const skips = skipper(fetch)
  let at = 0
  for (let header = readHeader(bytes, at); header !== undefined; header = readHeader(bytes, at)) {
    if (skips(bytes.subarray(at, at + header.size), header, walk.next)) walk.open = undefined
    else put(walk, at, header)
    at += header.size
    walk.next = Math.max(walk.next, header.lastOffset + 1)
    const newest = walk.pieces.at(-1)
    if (newest !== undefined) newest.next = walk.next
  }
}

function put(walk: Walk, at: number, header: BatchHeader): void {
  const partial = header.baseOffset < walk.next
  let piece = walk.open
  if (piece === undefined || partial || !fits(piece, header)) {
    piece = { at, size: 0, headers: [], from: partial ? walk.next : 0, next: 0 }
    walk.pieces.push(piece)
  }
  piece.headers.push(header)
  piece.size += header.size
  walk.open = partial ? undefined : piece
}

/** Consecutive record batches to hand out as one. */
interface Piece {
  readonly at: number
  readonly headers: BatchHeader[]
  /** Records before this offset are left out; 0 for none. */
  readonly from: number
  size: number
  next: number
}

const fits = (open: Piece | undefined, header: BatchHeader): boolean =>
  open !== undefined && open.size + header.size <= enoughBytes && open.headers[0]?.compressed === header.compressed

/** Control batches, records of aborted transactions, and what lies before the start. Throws ChecksumError. */
function skipper({ aborted }: FetchBytes): (bytes: Buffer, header: BatchHeader, next: number) => boolean {
  const ahead = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  const producers = new Set<bigint>()
  return (bytes, header, next) => {
    for (let first = ahead[0]; first !== undefined && first.firstOffset <= header.lastOffset; first = ahead[0]) {
      producers.add(first.producerId)
      ahead.shift()
    }
    if (header.control) {
      if (isAbortMarker(bytes)) producers.delete(header.producerId)
      return true
    }
    if (header.lastOffset < next || header.count === 0) return true
    if (header.transactional && producers.has(header.producerId)) return true
    if (!checksumHolds(bytes))
      throw new ChecksumError(`the checksum of the batch at offset ${header.baseOffset} is wrong`)
    return false
  }
}

/** One or more whole record batches, one behind another in one piece of memory. */
export class FetchedBatch implements SourceBatch {
  readonly count: number
  readonly first: number
  /** By the header, which may count records that compaction removed. */
  readonly last: number
  readonly lastTimestamp: number
  /** Compressed records count as what they will take when decoded, as far as the last ones tell. */
  readonly bytes: number
  /** What was fetched as it is, unless the first records are not wanted. */
  readonly opaque?: OpaqueBytes
  /** The position to commit when this batch is settled: behind what was skipped after it. */
  readonly next: number
  readonly #sizes: readonly number[]
  readonly #from: number
  readonly #expansion: Expansion | undefined
  readonly #content: Buffer
  #records: readonly BridgeRecord[] | undefined

  constructor(fetch: Buffer, { at, size, headers, from, next }: Piece, expansion: Expansion) {
    const compressed = headers[0]?.compressed === true
    this.#content = fetch.subarray(at, at + size)
    this.#sizes = headers.map((header) => header.size)
    this.#from = from
    this.#expansion = compressed ? expansion : undefined
    this.first = Math.max(headers[0]?.baseOffset ?? 0, from)
    this.last = headers.at(-1)?.lastOffset ?? 0
    this.lastTimestamp = Math.max(...headers.map(({ maxTimestamp }) => maxTimestamp))
    this.bytes = compressed ? Math.ceil(size * expansion.ratio) : size
    this.next = next
    if (from === 0) this.opaque = { format: opaqueFormat, bytes: this.#content }
    this.count = from === 0 ? headers.reduce((sum, header) => sum + header.count, 0) : this.records().length
  }

  records(): readonly BridgeRecord[] {
    this.#records ??= this.#decode()
    return this.#records
  }

  /** The offset of the last record there really is, once decoded. */
  get lastRecord(): number {
    const position = this.#records?.at(-1)?.position
    return typeof position === 'number' ? position : this.last
  }

  #decode(): readonly BridgeRecord[] {
    const records: BridgeRecord[] = []
    let at = 0
    for (const size of this.#sizes) {
      const decoded = decodeRecords(this.#content.subarray(at, at + size), this.#from)
      if (this.#sizes.length === 1) return this.#learn(decoded)
      for (const record of decoded) records.push(record)
      at += size
    }
    return this.#learn(records)
  }

  #learn(records: readonly BridgeRecord[]): readonly BridgeRecord[] {
    if (this.#expansion === undefined) return records
    let size = 0
    for (const { key, value } of records) size += 20 + (key?.length ?? 0) + (value?.length ?? 0)
    this.#expansion.ratio = Math.max(1, size / this.#content.length)
    return records
  }
}
