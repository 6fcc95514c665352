import type { Clock } from './clock.ts'

/**
 * A token bucket over all partitions of a replica: one second's worth may be taken at once. A batch is taken whole, so the
 * bucket may go into debt; the next one waits until the debt is paid.
 */
export class RateLimit {
  readonly #perSecond: number
  readonly #clock: Clock
  #tokens: number
  #filledAt: number

  /** @param perSecond records; infinite for no limit */
  constructor(perSecond: number, clock: Clock) {
    this.#perSecond = perSecond
    this.#clock = clock
    this.#tokens = perSecond
    this.#filledAt = clock.monotonic()
  }

  took(records: number): void {
    this.#tokens -= records
  }

  /** True while it is what holds records back. */
  get holds(): boolean {
    return this.#wait() > 0
  }

  /** Resolves when a batch may be taken, or the signal aborts. */
  async ready(signal: AbortSignal): Promise<void> {
    for (let wait = this.#wait(); wait > 0 && !signal.aborted; wait = this.#wait())
      await this.#clock.sleep(wait, signal)
  }

  /** Milliseconds until the bucket is out of debt. */
  #wait(): number {
    if (this.#perSecond === Number.POSITIVE_INFINITY) return 0
    const now = this.#clock.monotonic()
    this.#tokens = Math.min(this.#perSecond, this.#tokens + ((now - this.#filledAt) / 1000) * this.#perSecond)
    this.#filledAt = now
    return this.#tokens > 0 ? 0 : (-this.#tokens / this.#perSecond) * 1000 + 1
  }
}
