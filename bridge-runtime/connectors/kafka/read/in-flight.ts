/** What one partition has handed out, and how far that is settled. */

/** What is kept of a batch: never the batch, whose records may take a hundred times the bytes that were fetched. */
export interface HandedOut {
  /** The last record's offset. */
  readonly lastRecord: number
  /** The offset behind the batch, which may be greater than one behind its last record. */
  readonly next: number
}

export class InFlight {
  /** The offset behind the last settled record. */
  #settled: number
  #newest: HandedOut | undefined
  #whenAll: () => void = () => undefined

  constructor(settled: number) {
    this.#settled = settled
  }

  get settled(): number {
    return this.#settled
  }

  /** Whether records that were handed out are not settled yet. */
  get open(): boolean {
    return this.#newest !== undefined && this.#settled < this.#newest.next
  }

  handedOut(batch: HandedOut): void {
    this.#newest = batch
  }

  /**
   * The offset to commit when all up to this record is settled; `idle` is where the reader stands when nothing is left to
   * hand out. When nothing is open, that is behind what was skipped: else lag would count transaction markers for ever.
   */
  offsetBehind(record: number, idle: number | undefined): number {
    if (this.#newest === undefined || record < this.#newest.lastRecord) return record + 1
    return idle ?? this.#newest.next
  }

  settledTo(offset: number): void {
    this.#settled = offset
    if (!this.open) this.#whenAll()
  }

  /** Resolves when nothing is open, or `release` was called. */
  async allSettled(): Promise<void> {
    if (!this.open) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#whenAll = resolve
    await promise
  }

  /** Nothing will be settled any more. */
  release(): void {
    this.#whenAll()
  }

  /** Begins again at another offset, perhaps an earlier one. Assumes that nothing is open. */
  beginAt(offset: number): void {
    this.#newest = undefined
    this.#settled = offset
  }
}
