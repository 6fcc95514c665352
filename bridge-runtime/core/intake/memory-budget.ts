/** A batch of more than this part of the limit is large. */
const largePart = 4

/** What holds batches. */
export interface Holder {
  /** Payload bytes it holds now. */
  readonly inFlightBytes: number
}

/**
 * The bytes that all partitions of a replica may hold. A batch is taken when it fits. One batch at a time may be taken
 * though it does not fit, so that a large one is not kept waiting for ever by small ones, nor by a partition that stands still.
 *
 * A large batch that is done with is garbage until V8 collects it, which V8 does late for buffers: before more than the limit of
 * such garbage can have come together, it is collected.
 *
 * *Guarantees*: never more is held than the limit and one batch.
 */
export class MemoryBudget {
  readonly #limit: number
  readonly #holders: () => Iterable<Holder>
  readonly #waiting: (() => void)[] = []
  /** Who has taken a batch beyond the limit, until it holds nothing. */
  #over: Holder | undefined
  readonly #collect: () => void
  /** Bytes of large batches since garbage was collected. */
  #large = 0

  /** @param collect collects all garbage now, where that can be asked for */
  constructor(limit: number, holders: () => Iterable<Holder>, collect: () => void = () => undefined) {
    this.#limit = limit
    this.#holders = holders
    this.#collect = collect
  }

  /** Calls `take`, at once where it can, unless the signal aborts first. `take` makes the holder hold the bytes. */
  async admit(holder: Holder, bytes: number, take: () => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#fits(holder, bytes)) await this.#change(signal)
    if (signal.aborted) return
    this.#makeRoom(bytes)
    take()
  }

  /** What is small is left to V8: a collection takes 40 milliseconds. */
  #makeRoom(bytes: number): void {
    if (bytes <= this.#limit / largePart) return
    if (this.#large > 0 && this.#large + bytes > this.#limit) {
      this.#collect()
      this.#large = 0
    }
    this.#large += bytes
  }

  /** Something may be held no more. */
  changed(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #fits(holder: Holder, bytes: number): boolean {
    let held = bytes
    for (const { inFlightBytes } of this.#holders()) held += inFlightBytes
    if (held <= this.#limit) return true
    if (this.#over !== undefined && this.#over.inFlightBytes > 0) return false
    this.#over = holder
    return true
  }

  async #change(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const wakeUp = (): void => resolve()
    this.#waiting.push(wakeUp)
    signal.addEventListener('abort', wakeUp, { once: true })
    await promise
    signal.removeEventListener('abort', wakeUp)
  }
}
