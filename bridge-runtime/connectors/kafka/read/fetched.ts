/** Whole record batches on their way to the engine, decoded when somebody asks for their records. */
import type { BridgeRecord, SourceBatch } from '../../../core/contracts.ts'
import type { RuntimeReason } from '../../../../crds/kit/reasons.ts'
import { BridgeError } from '../../../core/errors.ts'
import type { BatchHeader } from '../protocol/record-batch.ts'
import { decodeRecords } from '../protocol/record-decoder.ts'

/** Consecutive record batches to hand out as one. */
export interface Piece {
  readonly at: number
  readonly headers: BatchHeader[]
  /** Records before this offset are left out; 0 for none. */
  readonly from: number
  size: number
  /** Bytes once decoded. */
  memory: number
  next: number
  /** Why it is handed out as it is, undecoded. */
  readonly unreadable?: Error
}

/** One or more whole record batches, one behind another in one piece of memory. */
export class FetchedBatch implements SourceBatch {
  readonly count: number
  readonly first: number
  /** By the header, which may count records that compaction removed. */
  readonly last: number
  readonly lastTimestamp: number
  /** What the records take once decoded. */
  readonly bytes: number
  /** Where it ends: the offset of the last record there really is, once decoded, and the position to commit behind what was skipped after it. */
  readonly end: { lastRecord: number; readonly next: number }
  readonly #headers: readonly BatchHeader[]
  readonly #from: number
  readonly #content: Buffer
  #records: readonly BridgeRecord[] | undefined

  constructor(fetch: Buffer, { at, size, headers, from, memory, next }: Piece) {
    this.#content = fetch.subarray(at, at + size)
    this.#headers = headers
    this.#from = from
    this.first = Math.max(headers[0]?.baseOffset ?? 0, from)
    this.last = headers.at(-1)?.lastOffset ?? 0
    this.lastTimestamp = Math.max(...headers.map(({ maxTimestamp }) => maxTimestamp))
    this.bytes = memory
    this.end = { lastRecord: this.last, next }
    this.count = this.#count()
  }

  /** Bytes as they were fetched. */
  get size(): number {
    return this.#content.length
  }

  records(): readonly BridgeRecord[] {
    if (this.#records === undefined) {
      this.#records = this.#decode()
      const position = this.#records.at(-1)?.position
      if (typeof position === 'number') this.end.lastRecord = position
    }
    return this.#records
  }

  #count(): number {
    const count = this.#headers.reduce((sum, header) => sum + header.count, 0)
    if (this.#from === 0) return count
    // A partial batch is alone. Without holes the number of what is left needs no decoding.
    const dense = count === this.last - (this.#headers[0]?.baseOffset ?? 0) + 1
    return dense ? this.last - this.#from + 1 : this.records().length
  }

  #decode(): readonly BridgeRecord[] {
    let at = 0
    const decoded = this.#headers.map((header) => {
      const batch = this.#content.subarray(at, at + header.size)
      at += header.size
      return recordsIn(batch, header, this.#from)
    })
    return decoded.length === 1 ? (decoded[0] ?? []) : decoded.flat()
  }
}

/** As many records as the header says, readable or not. */
function recordsIn(batch: Buffer, header: BatchHeader, from: number): readonly BridgeRecord[] {
  try {
    return decodeRecords(batch, from)
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown
    const first = Math.max(header.baseOffset, from)
    const count = Math.min(header.count, header.lastOffset - first + 1)
    const error = unreadable(`the batch at offset ${header.baseOffset} is broken: ${thrown.message}`)
    const behind = unreadable(`it is part of the batch at offset ${header.baseOffset}, which is broken`)
    return Array.from({ length: count }, (_, index) => ({
      key: null,
      // Once is enough.
      value: index === 0 ? batch : null,
      headers: [],
      timestamp: header.maxTimestamp,
      position: first + index,
      poison: index === 0 ? error : behind,
    }))
  }
}

export const unreadable = (message: string, reason: RuntimeReason = 'UnreadableRecord'): BridgeError =>
  new BridgeError(message, { kind: 'poison', reason })
