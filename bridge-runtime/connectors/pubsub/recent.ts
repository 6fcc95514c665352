/** Ids of messages settled lately, forgotten after one to two spans, or earlier when there are too many. */
export class Recent {
  readonly #span: number
  readonly #most: number
  #young = new Set<string>()
  #old = new Set<string>()
  #turned: number

  /**
   * @param span milliseconds
   * @param most ids of one span
   * @param now monotonic milliseconds
   */
  constructor(span: number, most: number, now: number) {
    this.#span = span
    this.#most = most
    this.#turned = now
  }

  add(id: string, now: number): void {
    this.#turn(now)
    this.#young.add(id)
  }

  has(id: string, now: number): boolean {
    this.#turn(now)
    return this.#young.has(id) || this.#old.has(id)
  }

  #turn(now: number): void {
    const passed = now - this.#turned
    if (passed < this.#span && this.#young.size < this.#most) return
    this.#old = passed < 2 * this.#span ? this.#young : new Set()
    this.#young = new Set()
    this.#turned = now
  }
}
