/** A token bucket that holds one second of its rate. */
export class Bucket {
  readonly #rate: number
  #tokens: number
  #at: number

  /** Full at `now` (milliseconds). */
  constructor(ratePerSecond: number, now: number) {
    this.#rate = ratePerSecond
    this.#tokens = ratePerSecond
    this.#at = now
  }

  /** Milliseconds until something may pass; 0 for now. */
  wait(now: number): number {
    this.#refill(now)
    return this.#tokens > 0 ? 0 : Math.ceil(((1 - this.#tokens) / this.#rate) * 1000)
  }

  /** Takes the amount, into debt if need be: what is bigger than a second's worth passes too, and is paid for later. */
  take(amount: number, now: number): void {
    this.#refill(now)
    this.#tokens -= amount
  }

  #refill(now: number): void {
    const elapsed = Math.max(0, now - this.#at)
    this.#tokens = Math.min(this.#rate, this.#tokens + (elapsed / 1000) * this.#rate)
    this.#at = now
  }
}

export interface Throughput {
  /** Per second, for a whole hub; undefined is no limit. */
  readonly ingressBytes?: number | undefined
  readonly ingressEvents?: number | undefined
  readonly egressBytes?: number | undefined
}

const bucket = (rate: number | undefined, now: number): Bucket | undefined =>
  rate === undefined ? undefined : new Bucket(rate, now)

/** One hub's limits. */
export class Throttle {
  readonly #bytes: Bucket | undefined
  readonly #events: Bucket | undefined
  readonly #egress: Bucket | undefined

  constructor(throughput: Throughput, now: number) {
    this.#bytes = bucket(throughput.ingressBytes, now)
    this.#events = bucket(throughput.ingressEvents, now)
    this.#egress = bucket(throughput.egressBytes, now)
  }

  /** Whether a batch may be stored now; if so it is counted. */
  admits(bytes: number, events: number, now: number): boolean {
    if ((this.#bytes?.wait(now) ?? 0) > 0 || (this.#events?.wait(now) ?? 0) > 0) return false
    this.#bytes?.take(bytes, now)
    this.#events?.take(events, now)
    return true
  }

  /** Milliseconds a reader has to wait for its next event. */
  egressWait(now: number): number {
    return this.#egress?.wait(now) ?? 0
  }

  egress(bytes: number, now: number): void {
    this.#egress?.take(bytes, now)
  }
}
