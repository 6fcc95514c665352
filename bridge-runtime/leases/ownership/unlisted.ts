/** Partitions that have a lease and are not listed. A lease may be younger than the listing: the next one decides. */
export class Unlisted {
  readonly #seen = new Set<string>()
  #sure: ReadonlySet<string> = new Set()

  /** True when it was not listed before the last listing was made either. */
  surely(partition: string): boolean {
    this.#seen.add(partition)
    return this.#sure.has(partition)
  }

  /** A listing was made: what was seen before it and is asked for again is surely not listed. */
  listed(): void {
    this.#sure = new Set(this.#seen)
    this.#seen.clear()
  }
}
