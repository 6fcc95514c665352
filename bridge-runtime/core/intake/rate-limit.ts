import type { Clock } from '../clock.ts'

/** Parts of a second that are given out one by one, so that records flow evenly. */
const parts = 10
/** Milliseconds of the rate that a pause saves up. */
const saved = 250

/**
 * Gives out the records that may be moved, over all partitions of a replica.
 *
 * *Guarantees*: in no stretch of time more than the rate, what `saved` milliseconds bring, and one part; who asked first is
 * served first; who asks again and again has a part of it at least every second while no more than so many ask as records
 * may go in a second.
 */
export class RateLimit {
  readonly #perSecond: number
  readonly #clock: Clock
  /** Monotonic milliseconds at which the next record may go: all before are given out. */
  #next: number
  #waiting = 0

  /** @param perSecond records; infinite for no limit */
  constructor(perSecond: number, clock: Clock) {
    this.#perSecond = perSecond
    this.#clock = clock
    this.#next = clock.monotonic()
  }

  /** Waits until some of the records may go. Resolves with how many: one or more; none when the signal aborted. */
  async take(wanted: number, signal: AbortSignal): Promise<number> {
    if (this.#perSecond === Number.POSITIVE_INFINITY) return wanted
    const now = this.#clock.monotonic()
    const part = Math.max(1, Math.floor(this.#perSecond / parts / (this.#waiting + 1)))
    const given = Math.min(wanted, part)
    const cost = (given / this.#perSecond) * 1000
    const from = Math.max(this.#next, now - saved)
    this.#next = from + cost
    this.#waiting += 1
    if (from > now) await this.#clock.sleep(from - now, signal)
    this.#waiting -= 1
    if (!signal.aborted) return given
    // Who comes next has its turn.
    this.#next -= cost
    return 0
  }
}
