/** Keeps a membership alive: heartbeats, and how long the group has not heard of us. */
import type { Clock } from '../../../core/clock.ts'
import { asBridgeError, type BridgeError } from '../../../core/errors.ts'
import { type Membership, MembershipLost } from './membership.ts'

export interface HeartOptions {
  readonly membership: Membership
  readonly clock: Clock
  /** Milliseconds. */
  readonly sessionTimeout: number
  /** Told of a heartbeat that failed. */
  readonly connection: (error: BridgeError) => void
}

export class Heart {
  readonly #options: HeartOptions
  #lastContact = 0

  constructor(options: HeartOptions) {
    this.#options = options
  }

  /** Milliseconds between two beats. */
  get interval(): number {
    return Math.min(1_000, this.#options.sessionTimeout / 6)
  }

  /** The group has heard of us. */
  contact(): void {
    this.#lastContact = this.#options.clock.monotonic()
  }

  /** True when the group must have given up on us by now. */
  get silent(): boolean {
    return this.#options.clock.monotonic() - this.#lastContact > this.#options.sessionTimeout
  }

  /** Rejects with MembershipLost when the group has given up on us, or must have by now. */
  async pulse(): Promise<'ok' | 'rebalance'> {
    try {
      const pulse = await this.#options.membership.heartbeat()
      if (pulse === 'lost') throw new MembershipLost('thrown out')
      this.contact()
      return pulse
    } catch (thrown) {
      if (thrown instanceof MembershipLost || this.silent) throw new MembershipLost()
      this.#options.connection(asBridgeError(thrown))
      return 'ok'
    }
  }

  /**
   * Does something long without losing the membership. Rejects with MembershipLost after it is done, if it was lost;
   * `lost` is called at once then.
   */
  async during(work: Promise<void>, lost: () => void): Promise<void> {
    const done = new AbortController()
    const beating = this.#beat(done.signal, lost)
    beating.catch(() => undefined)
    try {
      await work
    } finally {
      done.abort()
      await beating
    }
  }

  async #beat(done: AbortSignal, lost: () => void): Promise<void> {
    for (;;) {
      await this.#options.clock.sleep(this.interval, done)
      if (done.aborted) return
      try {
        await this.pulse()
      } catch (thrown) {
        lost()
        throw thrown
      }
    }
  }
}
