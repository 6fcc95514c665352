import type { Position, SourceBatch } from './contracts.ts'

/** A batch between source and settlement. */
export interface Tracked {
  readonly batch: SourceBatch
  /** When the engine took it, on the monotonic clock. */
  readonly since: number
  /** Records not settled yet. */
  open: number
  /** Which records are settled; made only when a batch settles piecemeal. */
  settled: Uint8Array | undefined
}

/**
 * The contiguous watermark of one partition: the highest position such that it and everything before it is settled.
 *
 * *Guarantees*: whatever the order of settlement, `position` never passes an unsettled record and never goes back.
 * *Assumption*: batches are added in the partition's order.
 */
export class Watermark {
  readonly #contiguous: boolean
  readonly #queue: Tracked[] = []
  #position: Position | undefined
  #bytes = 0
  #records = 0

  /** @param contiguous false: there is no position; a settled batch is gone, whatever is before it */
  constructor({ contiguous = true }: { readonly contiguous?: boolean } = {}) {
    this.#contiguous = contiguous
  }

  add(batch: SourceBatch, now: number): Tracked {
    const tracked: Tracked = { batch, since: now, open: batch.count, settled: undefined }
    this.#queue.push(tracked)
    this.#bytes += batch.bytes
    this.#records += batch.count
    return tracked
  }

  /** Settles every record of the batch that is still open. */
  settleAll(tracked: Tracked): void {
    tracked.open = 0
    this.#advance(tracked)
  }

  /** Settles some records. Settling one twice is harmless. */
  settle(tracked: Tracked, indexes: readonly number[]): void {
    tracked.settled ??= new Uint8Array(tracked.batch.count)
    for (const index of indexes) {
      if (tracked.settled[index] !== 0) continue
      tracked.settled[index] = 1
      tracked.open -= 1
    }
    this.#advance(tracked)
  }

  /** The last position of the contiguous settled prefix; undefined when there is none. */
  get position(): Position | undefined {
    if (!this.#contiguous) return undefined
    const prefix = this.#prefix
    return prefix === 0 ? this.#position : this.#queue[0]?.batch.records()[prefix - 1]?.position
  }

  /** Settled records at the beginning of the oldest batch: it is not settled as a whole. */
  get #prefix(): number {
    return this.#queue[0]?.settled?.indexOf(0) ?? 0
  }

  /** Payload bytes taken and not yet passed by the watermark, or not settled where it is not contiguous. */
  get bytes(): number {
    return this.#bytes
  }

  /** Records taken and not yet passed by the watermark: with a crash now, at most these are delivered again. */
  get records(): number {
    return this.#records
  }

  /** Records that are read again when the position is committed now and nothing else settles. */
  get behind(): number {
    if (this.#contiguous) return this.#records - this.#prefix
    return this.#queue.reduce((sum, { open }) => sum + open, 0)
  }

  /** When the oldest batch that holds the watermark back was taken (monotonic milliseconds). */
  get oldest(): number | undefined {
    return this.#queue[0]?.since
  }

  /** Forgets the batches, for good: the position stays where it is, and so does what was taken and not settled. */
  letGo(): void {
    this.#position = this.position
    this.#queue.length = 0
    this.#bytes = 0
  }

  #advance(settled: Tracked): void {
    if (!this.#contiguous) {
      const at = settled.open === 0 ? this.#queue.indexOf(settled) : -1
      if (at !== -1) this.#remove(at)
      return
    }
    let head = this.#queue[0]
    while (head !== undefined && head.open === 0) {
      this.#position = head.batch.last
      this.#remove(0)
      head = this.#queue[0]
    }
  }

  #remove(at: number): void {
    const [gone] = at === 0 ? [this.#queue.shift()] : this.#queue.splice(at, 1)
    this.#bytes -= gone?.batch.bytes ?? 0
    this.#records -= gone?.batch.count ?? 0
  }
}
