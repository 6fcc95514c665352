/**
 * How many records a read asks for. The service counts records only and answers with up to 10 MB of them: for each shard of a
 * replica, as text and as records, that is more than the memory of a pod. A shard gives 2 MB/s, to five reads a second.
 */

/** Bytes of payload one read should bring. */
export const pageBytes = 2 * 2 ** 20
/** Records of the first read, when their size is not known. */
const firstLimit = 100

export class PageLimit {
  readonly #maxRecords: number
  #limit: number

  constructor(maxRecords: number) {
    this.#maxRecords = maxRecords
    this.#limit = Math.min(firstLimit, maxRecords)
  }

  /** Records to ask for. */
  get records(): number {
    return this.#limit
  }

  /** Tells of a page that was read, not empty: the next should have about `pageBytes`. */
  read(count: number, bytes: number): void {
    const fitting = Math.floor((pageBytes * count) / Math.max(1, bytes))
    this.#limit = Math.max(1, Math.min(this.#maxRecords, fitting))
  }
}
