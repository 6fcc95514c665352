/**
 * What to ask a broker that cannot read its own log at the position, because the length of a batch is untrue there: it then
 * says CORRUPT_MESSAGE, or that there is nothing, until behind the next entry of its index (index.interval.bytes: 4 KiB).
 *
 * First before the position: from there a broker gives the bytes of its file as they are, with what is damaged and what is
 * behind. Where that brings nothing (the damaged batch is the first of its file) behind it: by doubling steps, and between the
 * last two of them by halves, so that a few dozen requests are enough. Pure.
 */

/**
 * Nothing between the position and this offset can be read: a batch begins there, or the partition ends. It may have to be
 * asked for by a later offset: the index knows a batch by its last one.
 */
export interface Finding {
  readonly offset: number
  readonly end: boolean
}

/** Steps back: a million records are more than two batches have. */
const mostBack = 20

export class BrokenLog {
  readonly #position: number
  readonly #end: number
  #back = 0
  #step = 1
  /** Unreadable, as is all before it; and readable, once something is. */
  #low: number
  #high: number | undefined
  #offset = 0
  #asks: number

  /** @param end where the partition ends */
  constructor(position: number, end: number) {
    this.#position = position
    this.#end = end
    this.#low = position
    this.#asks = position
    void this.#goBack()
  }

  /** The offset to fetch. */
  get asks(): number {
    return this.#asks
  }

  /** Whether it still asks before the position. */
  get early(): boolean {
    return this.#asks < this.#position
  }

  /**
   * Undefined: ask on.
   * @param first where the first batch begins that can be read in the answer to `asks`; undefined where none can
   */
  answered(first: number | undefined): Finding | undefined {
    if (this.early) return this.#goBack()
    if (first === undefined) this.#low = this.#asks
    else {
      this.#offset = first
      this.#high = Math.max(Math.min(first, this.#asks), this.#low + 1)
    }
    return this.#goOn()
  }

  /** What is before the position was there, and nothing behind it. */
  behind(): Finding | undefined {
    this.#asks = this.#position
    return this.#goOn()
  }

  #goBack(): Finding | undefined {
    const before = this.#back
    this.#back = Math.min(Math.max(1, before * 2), this.#position, 2 ** mostBack)
    if (this.#back === before) return this.behind()
    this.#asks = this.#position - this.#back
    return undefined
  }

  #goOn(): Finding | undefined {
    const low = this.#low
    if (this.#high !== undefined) {
      if (this.#high <= low + 1) return { offset: this.#offset, end: false }
      this.#asks = Math.floor((low + this.#high) / 2)
      return undefined
    }
    if (low >= this.#end - 1) return { offset: this.#end, end: true }
    this.#asks = Math.min(low + this.#step, this.#end - 1)
    this.#step *= 2
    return undefined
  }
}
