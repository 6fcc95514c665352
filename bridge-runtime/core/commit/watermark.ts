import type { Position, SourceBatch } from '../contracts.ts'
import { InFlightBatch, type Outputs } from './in-flight-batch.ts'
import type { InFlight } from './settlement.ts'

/**
 * The contiguous watermark of one partition: the highest position such that it and everything before it is settled.
 *
 * *Guarantees*: whatever the order of settlement, `position` never passes an unsettled record and never goes back.
 * *Assumption*: batches are added in the partition's order.
 */
export class Watermark implements InFlight {
  readonly #queue: InFlightBatch[] = []
  #position: Position | undefined
  #bytes = 0
  #records = 0

  add(batch: SourceBatch, now: number): InFlightBatch {
    const added = new InFlightBatch(batch, now)
    this.#queue.push(added)
    this.#bytes += added.bytes
    this.#records += batch.count
    return added
  }

  derive(batch: InFlightBatch, outputs: Outputs): readonly number[] {
    const settled = batch.derive(outputs)
    this.#bytes += outputs.bytes
    this.#advance()
    return settled
  }

  settle(batch: InFlightBatch, outputs: readonly number[] | 'all'): readonly number[] | 'all' {
    const settled = batch.settle(outputs)
    this.#advance()
    return settled
  }

  release(batch: InFlightBatch): void {
    if (this.#queue.includes(batch)) this.#bytes -= batch.bytes
    batch.release()
  }

  /** The last position of the contiguous settled prefix; undefined when there is none. */
  get position(): Position | undefined {
    return this.#queue[0]?.settledPosition ?? this.#position
  }

  get bytes(): number {
    return this.#bytes
  }

  get records(): number {
    return this.#records
  }

  get behind(): number {
    return this.#records - (this.#queue[0]?.prefix ?? 0)
  }

  get oldest(): number | undefined {
    return this.#queue[0]?.since
  }

  letGo(): void {
    this.#position = this.position
    this.#queue.length = 0
    this.#bytes = 0
  }

  #advance(): void {
    for (let head = this.#queue[0]; head !== undefined && head.open === 0; head = this.#queue[0]) {
      this.#position = head.source.last
      this.#queue.shift()
      this.#bytes -= head.bytes
      this.#records -= head.source.count
    }
  }
}
