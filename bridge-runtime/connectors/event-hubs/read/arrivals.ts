import type { SourceBatch } from '../../../core/contracts.ts'
import { type IncomingEvent, recordOf } from './incoming.ts'

/** Events that may be asked for and not be taken yet, and the bytes they should come to. */
const mostEvents = 1_000
const enoughBytes = 2 * 1024 * 1024
/** More than this never waits: a stretch of events much larger than those before is cut off and asked for again. */
const mostBytes = 4 * enoughBytes
/** Bytes an event is taken for until one came. */
const firstGuess = 16 * 1024

/** What arrived of a partition and was not taken yet, and how much more may be asked for. Bounded in bytes. */
export class Arrivals {
  #events: IncomingEvent[] = []
  #bytes = 0
  /** Bytes of an event: rises at once, falls slowly. */
  #size = firstGuess

  add(event: IncomingEvent): void {
    this.#events.push(event)
    const { length } = event.encoded
    this.#bytes += length
    this.#size = length > this.#size ? length : this.#size + (length - this.#size) / 64
  }

  get full(): boolean {
    return this.#bytes > mostBytes
  }

  get empty(): boolean {
    return this.#events.length === 0
  }

  /** Events to ask for, beside those already asked for; 0 while half of what may wait is on its way. */
  room(asked: number): number {
    const most = Math.max(1, Math.min(mostEvents, Math.floor(enoughBytes / this.#size)))
    const open = most - asked - this.#events.length
    return open * 2 >= most ? open : 0
  }

  /** All of it, in order. */
  take(): (SourceBatch & { readonly events: readonly IncomingEvent[] }) | undefined {
    const events = this.#events
    const first = events[0]
    const last = events.at(-1)
    if (first === undefined || last === undefined) return undefined
    const bytes = this.#bytes
    this.clear()
    let records: ReturnType<SourceBatch['records']> | undefined
    return {
      events,
      count: events.length,
      bytes,
      first: String(first.sequenceNumber),
      last: String(last.sequenceNumber),
      lastTimestamp: last.enqueued,
      records: () => {
        records ??= events.map(recordOf)
        return records
      },
    }
  }

  clear(): void {
    this.#events = []
    this.#bytes = 0
  }
}
