import type { StepFigures } from '../contracts.ts'

/** Counts events per second over the last ten full seconds. */
export class Rate {
  static readonly window = 10
  readonly #slots = new Float64Array(Rate.window + 1)
  #second = 0

  /** @param now monotonic milliseconds */
  add(count: number, now: number): void {
    this.#turn(now)
    const slot = this.#second % this.#slots.length
    this.#slots[slot] = (this.#slots[slot] ?? 0) + count
  }

  /** Events per second; the running second does not count yet. */
  perSecond(now: number): number {
    this.#turn(now)
    const running = this.#slots[this.#second % this.#slots.length] ?? 0
    return (this.#slots.reduce((sum, count) => sum + count, 0) - running) / Rate.window
  }

  #turn(now: number): void {
    const second = Math.floor(now / 1000)
    const passed = Math.min(second - this.#second, this.#slots.length)
    for (let step = 1; step <= passed; step += 1) this.#slots[(this.#second + step) % this.#slots.length] = 0
    if (passed === this.#slots.length) this.#slots.fill(0)
    this.#second = Math.max(this.#second, second)
  }
}

/** What one replica has done since it started. */
export class Statistics {
  readonly totals = { in: 0, out: 0, filtered: 0, deadLettered: 0, retries: 0, repeats: 0, throttles: 0 }
  readonly bytes = { in: 0, out: 0 }
  readonly deadLetters = new Map<string, number>()
  /** What each step on the way did, by its name, in the order of the steps. */
  readonly steps = new Map<string, Omit<StepFigures, 'step'>>()
  readonly #in = new Rate()
  readonly #out = new Rate()
  readonly #accepted = new Rate()
  readonly #throttled = new Rate()
  readonly #busy = new Rate()
  #lastDeadLetter: { readonly reason: string; readonly at: number } | undefined
  #lastCommitAt: number | undefined

  taken(records: number, bytes: number, now: number): void {
    this.totals.in += records
    this.bytes.in += bytes
    this.#in.add(records, now)
  }

  /** The sink has these payload bytes in its keeping: its pace. */
  accepted(bytes: number, now: number): void {
    this.#accepted.add(bytes, now)
  }

  /** The sink has stored these durably. */
  delivered(records: number, bytes: number, now: number): void {
    this.totals.out += records
    this.bytes.out += bytes
    this.#out.add(records, now)
  }

  /** A step took records. */
  stepped({ step, ...more }: StepFigures): void {
    const {
      in: taken,
      filtered,
      failed,
      seconds,
    } = this.steps.get(step) ?? { in: 0, filtered: 0, failed: 0, seconds: 0 }
    this.steps.set(step, {
      in: taken + more.in,
      filtered: filtered + more.filtered,
      failed: failed + more.failed,
      seconds: seconds + more.seconds,
    })
  }

  /** Source records were settled without an output. */
  dropped(records: number): void {
    this.totals.filtered += records
  }

  retried(records: number): void {
    this.totals.retries += records
  }

  repeated(records: number): void {
    this.totals.repeats += records
  }

  throttled(now: number): void {
    this.totals.throttles += 1
    this.#throttled.add(1, now)
  }

  /** @param at milliseconds since the epoch */
  deadLettered(reason: string, at: number): void {
    this.totals.deadLettered += 1
    this.deadLetters.set(reason, (this.deadLetters.get(reason) ?? 0) + 1)
    this.#lastDeadLetter = { reason, at }
  }

  /** @param at milliseconds since the epoch */
  committed(at: number): void {
    this.#lastCommitAt = at
  }

  /** Called once a second: whether there was anything to do. */
  sample(busy: boolean, now: number): void {
    this.#busy.add(busy ? 1 : 0, now)
  }

  get lastDeadLetter(): { readonly reason: string; readonly at: number } | undefined {
    return this.#lastDeadLetter
  }

  get lastCommitAt(): number | undefined {
    return this.#lastCommitAt
  }

  /** Payload bytes the sink has accepted per second. */
  bytesAcceptedPerSecond(now: number): number {
    return this.#accepted.perSecond(now)
  }

  rates(now: number): {
    readonly in: number
    readonly out: number
    readonly busy: number
    readonly throttled: boolean
  } {
    return {
      in: this.#in.perSecond(now),
      out: this.#out.perSecond(now),
      busy: Math.min(1, this.#busy.perSecond(now)),
      throttled: this.#throttled.perSecond(now) > 0,
    }
  }
}
