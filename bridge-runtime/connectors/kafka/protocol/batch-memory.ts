/**
 * Memory of large record batches, used again: what is written once and thrown away soon costs more than filling it, and
 * leaves the garbage collector behind by tens of megabytes.
 */
export class BatchMemory {
  readonly #size: number
  readonly #most: number
  readonly #free: Buffer[] = []

  /** `size`: bytes of the largest batch; `most`: how many are kept for later. */
  constructor(size: number, most: number) {
    this.#size = size
    this.#most = most
  }

  /** So many bytes of any content. */
  take(length: number): Buffer {
    // A small batch in a large piece of memory would cost many partitions more than it saves.
    if (length < this.#size / 8 || length > this.#size) return Buffer.allocUnsafeSlow(length)
    return (this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#size)).subarray(0, length)
  }

  /** Nobody reads it any more. Takes what `take` gave, and leaves alone what is not worth keeping. */
  give(taken: Buffer): void {
    if (taken.buffer.byteLength !== this.#size || this.#free.length >= this.#most) return
    this.#free.push(Buffer.from(taken.buffer))
  }
}
