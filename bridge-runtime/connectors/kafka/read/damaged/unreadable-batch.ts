/** Bytes of a partition that are not decoded: one record of poison, with all of them. */
import type { BridgeRecord, SourceBatch } from '../../../../core/contracts.ts'
import type { BridgeError } from '../../../../core/errors.ts'

export interface UnreadableBytes {
  readonly value: Buffer
  /** The offset of the first record in it, and of the last one there may be. */
  readonly first: number
  readonly last: number
  /** The position to commit when it is settled. */
  readonly next: number
  readonly timestamp: number
  readonly poison: BridgeError
}

export class UnreadableBatch implements SourceBatch {
  readonly count = 1
  readonly bytes: number
  readonly first: number
  readonly last: number
  readonly end: { readonly lastRecord: number; readonly next: number }
  readonly lastTimestamp: number
  /** Bytes as they were fetched. */
  readonly size: number
  readonly #records: readonly BridgeRecord[]

  constructor({ value, first, last, next, timestamp, poison }: UnreadableBytes) {
    this.size = value.length
    this.bytes = value.length
    this.first = first
    this.last = Math.max(first, last)
    this.lastTimestamp = timestamp
    this.end = { lastRecord: first, next }
    this.#records = [{ key: null, value, headers: [], timestamp, position: first, poison }]
  }

  records(): readonly BridgeRecord[] {
    return this.#records
  }
}
