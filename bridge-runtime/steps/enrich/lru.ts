/** Remembers what was asked for last. */
export class Lru<Key, Value> {
  readonly #most: number
  readonly #entries = new Map<Key, Value>()

  constructor(most: number) {
    this.#most = most
  }

  /** What is remembered, or what is made and remembered now. */
  get(key: Key, make: (key: Key) => Value): Value {
    const known = this.#entries.get(key)
    const value = known === undefined ? make(key) : known
    if (known !== undefined) this.#entries.delete(key)
    else if (this.#entries.size >= this.#most) this.#entries.delete(this.#entries.keys().next().value as Key)
    this.#entries.set(key, value)
    return value
  }
}
