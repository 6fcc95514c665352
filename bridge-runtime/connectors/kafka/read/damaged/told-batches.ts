/**
 * Damaged batches that were set aside. Where the base offset is untrue a broker gives such a batch again in front of what is
 * asked for, as long as the end it pretends to have is not passed: it is known again, and passed over.
 */
import { at } from '../../protocol/record-batch.ts'

/** What tells one batch from another: base offset, length, format and checksum, damaged as they may be. */
const markSize = at.attributes
/** As many can be in front of one position, in theory; a broker begins at most 4 KiB (index.interval.bytes) before it. */
const most = 16

interface ToldBatch {
  readonly mark: Buffer
  /** Bytes to pass over, infinite where nobody knows. */
  readonly size: number
  /** No batch behind it begins before this offset. */
  readonly floor: number
}

export class ToldBatches {
  #told: readonly ToldBatch[] = []

  /** Bytes that they may take of an answer. */
  get bytes(): number {
    return this.#told.reduce((sum, { size }) => sum + (Number.isFinite(size) ? size : 0), 0)
  }

  /** @param batch its bytes; where it ends, and so what is behind it in an answer, is known if they are the `whole` of it */
  add(batch: Buffer, { whole, floor }: { readonly whole: boolean; readonly floor: number }): void {
    if (batch.length < markSize) return
    const mark = Buffer.from(batch.subarray(0, markSize))
    this.#told = [...this.#told, { mark, size: whole ? batch.length : Number.POSITIVE_INFINITY, floor }].slice(-most)
  }

  /** The one at this place. */
  find(bytes: Buffer, start: number): ToldBatch | undefined {
    if (this.#told.length === 0 || bytes.length - start < markSize) return undefined
    return this.#told.find(({ mark }) => bytes.compare(mark, 0, markSize, start, start + markSize) === 0)
  }
}
