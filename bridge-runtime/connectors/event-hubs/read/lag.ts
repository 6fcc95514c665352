import type { Lag } from '../../../core/contracts.ts'

/** Milliseconds after which what was last heard of a partition's end says nothing any more. */
const stale = 60_000

/** How many events of a partition are not committed yet. Numbers of events are sequence numbers, counted by the service. */
export class PartitionLag {
  #end: { readonly last: number; readonly at: number } | undefined
  /** Everything up to here is committed; undefined until it is known where reading begins. */
  #committed: number | undefined

  constructor(committed: number | undefined) {
    this.#committed = committed
  }

  /** Reading begins behind this event. */
  begins(after: number): void {
    this.#committed ??= after
  }

  committed(sequenceNumber: number): void {
    this.#committed = Math.max(sequenceNumber, this.#committed ?? sequenceNumber)
  }

  /** @param last sequence number of the newest event, -1 for none. @param at monotonic milliseconds */
  ends(last: number, at: number): void {
    this.#end = { last, at }
  }

  at(now: number): Lag {
    if (this.#end === undefined || this.#committed === undefined)
      return { kind: 'unknown', reason: 'the end of the partition was not looked up yet' }
    if (now - this.#end.at > stale)
      return { kind: 'unknown', reason: 'the service does not tell the end of the partition' }
    return { kind: 'known', records: Math.max(0, this.#end.last - this.#committed) }
  }
}
