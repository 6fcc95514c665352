/**
 * Remembers what was asked for lately, in two generations: what the older one holds, and nobody asks for, goes with it. One map in
 * the order of use would be slower than what is remembered: V8 looks for its first entry among all that were removed.
 */
export class Recent<Key, Value extends object | null> {
  readonly #most: number
  #younger = new Map<Key, Value>()
  #older: ReadonlyMap<Key, Value> = new Map()

  /** @param most entries of a generation */
  constructor(most: number) {
    this.#most = most
  }

  /** What is remembered, or what is made and remembered now. */
  get(key: Key, make: (key: Key) => Value): Value {
    const young = this.#younger.get(key)
    if (young !== undefined) return young
    const old = this.#older.get(key)
    const value = old === undefined ? make(key) : old
    if (this.#younger.size >= this.#most) {
      this.#older = this.#younger
      this.#younger = new Map()
    }
    this.#younger.set(key, value)
    return value
  }
}
