/**
 * The batches on their way to one partition, in order, as an idempotent producer: what it decides is pure, sending and
 * waiting are the producer's.
 *
 * *Guarantees*: a batch is never stored behind one that failed. A batch that may have been stored is sent again under the
 * same sequence number, which the broker recognises. When sequence numbers can no longer be continued, the epoch grows:
 * the broker then refuses what may still be on its way under the old one.
 *
 * *Assumption*: the broker takes any first sequence of a producer it does not know on the partition, so nothing is sent
 * beside the first batch of an epoch.
 */
import type { BridgeError } from '../../../core/errors.ts'

/** stored; rejected: this batch alone will never be taken; failed: not known to be stored, nothing behind it is either. */
export type Outcome =
  | { readonly kind: 'stored' }
  | { readonly kind: 'rejected'; readonly error: BridgeError }
  | { readonly kind: 'failed'; readonly error: BridgeError }

/** What the broker (or the connection) said of one batch. */
export type Answer =
  | { readonly kind: 'stored' }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'rejected'; readonly error: BridgeError }
  | { readonly kind: 'retry'; readonly error: BridgeError }
  | { readonly kind: 'sequence-lost'; readonly error: BridgeError }

export interface PendingBatch {
  readonly bytes: Buffer
  readonly count: number
  readonly settle: (outcome: Outcome) => void
}

interface Entry {
  readonly pending: PendingBatch
  sequence: number
  attempts: number
  sending: boolean
}

/** A batch to send now, under this epoch and sequence. `answered` must be called once. */
export interface Dispatch {
  readonly bytes: Buffer
  readonly epoch: number
  readonly sequence: number
  answered(answer: Answer): void
}

/** Kafka remembers the last five batches of a producer on a partition: more in flight could not be recognised. */
const maxInFlight = 5
const maxEpoch = 32_767
/** Sequence numbers wrap as in Java: behind 2^31 - 1 comes 0. */
const advance = (sequence: number, by: number): number => (sequence + by) % 0x8000_0000

export class PartitionLog {
  #entries: Entry[] = []
  #epoch: number
  #next = 0
  #inFlight = 0
  /** True once the broker knows this epoch. */
  #known = false
  /** True from a failure until the first batch behind it is stored: one batch at a time. */
  #recovering = false
  #renumber = false
  #failedSince: number | undefined

  readonly producerId: bigint

  constructor(producerId: bigint, epoch: number) {
    this.producerId = producerId
    this.#epoch = epoch
  }

  /** When the oldest batch first failed without success since; undefined while all is well. */
  get failedSince(): number | undefined {
    return this.#failedSince
  }

  /** True when all epochs are used up: the log must be replaced by one with a new producer id. */
  get exhausted(): boolean {
    return this.#renumber && this.#epoch >= maxEpoch
  }

  add(pending: PendingBatch): void {
    this.#entries.push({ pending, sequence: this.#next, attempts: 0, sending: false })
    this.#next = advance(this.#next, pending.count)
  }

  /** What may be sent now, in order. `now` in monotonic milliseconds. */
  take(now: () => number): Dispatch[] {
    if (this.exhausted) return []
    if (this.#renumber && this.#inFlight === 0) this.#startEpoch()
    const limit = this.#known && !this.#recovering && !this.#renumber ? maxInFlight : 1
    const dispatches: Dispatch[] = []
    for (const entry of this.#entries) {
      if (this.#inFlight >= limit) break
      if (entry.sending) continue
      entry.sending = true
      entry.attempts++
      this.#inFlight++
      const answered = (answer: Answer): void => this.#answered(entry, answer, now())
      dispatches.push({ bytes: entry.pending.bytes, epoch: this.#epoch, sequence: entry.sequence, answered })
    }
    return dispatches
  }

  /** Gives up what is waiting: every batch fails, and the next one starts a new epoch. */
  fail(error: BridgeError): void {
    const entries = this.#entries
    this.#entries = []
    this.#renumber = true
    this.#failedSince = undefined
    for (const { pending } of entries) pending.settle({ kind: 'failed', error })
  }

  #startEpoch(): void {
    this.#epoch++
    this.#known = false
    this.#renumber = false
    this.#next = 0
    for (const entry of this.#entries) {
      entry.sequence = this.#next
      entry.attempts = 0
      this.#next = advance(this.#next, entry.pending.count)
    }
  }

  #answered(entry: Entry, answer: Answer, now: number): void {
    this.#inFlight--
    entry.sending = false
    // Given up by `fail` in the meantime.
    if (!this.#entries.includes(entry)) return
    switch (answer.kind) {
      case 'stored':
        return this.#stored(entry)
      case 'duplicate':
        // Only a batch that was sent before can be known to the broker.
        return entry.attempts > 1 ? this.#stored(entry) : this.#retry(now, true)
      case 'rejected':
        this.#entries.splice(this.#entries.indexOf(entry), 1)
        this.#retry(now, true)
        this.#failedSince = undefined
        return entry.pending.settle({ kind: 'rejected', error: answer.error })
      case 'sequence-lost':
        // Behind a batch that failed this is the expected answer; for the first in line the broker lost our track.
        return this.#retry(now, this.#entries[0] === entry)
      case 'retry':
        return this.#retry(now, false)
    }
  }

  #stored(entry: Entry): void {
    this.#known = true
    this.#failedSince = undefined
    this.#entries.splice(this.#entries.indexOf(entry), 1)
    if (this.#inFlight === 0) this.#recovering = false
    entry.pending.settle({ kind: 'stored' })
  }

  #retry(now: number, renumber: boolean): void {
    this.#recovering = true
    this.#renumber ||= renumber
    this.#failedSince ??= now
  }
}
