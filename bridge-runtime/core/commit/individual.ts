import type { Settlement, SourceBatch } from '../contracts.ts'
import { InFlightBatch, type Outputs } from './in-flight-batch.ts'
import type { InFlight, SettlementOptions, SettlementStrategy } from './settlement.ts'

/** Batches in no order: a settled one is gone, whatever was taken before it. */
export class Unordered implements InFlight {
  readonly #batches = new Set<InFlightBatch>()
  #bytes = 0
  #records = 0

  add(batch: SourceBatch, now: number): InFlightBatch {
    const added = new InFlightBatch(batch, now)
    this.#batches.add(added)
    this.#bytes += added.bytes
    this.#records += batch.count
    return added
  }

  derive(batch: InFlightBatch, outputs: Outputs): readonly number[] {
    const settled = batch.derive(outputs)
    this.#bytes += outputs.bytes
    this.#removeSettled(batch)
    return settled
  }

  settle(batch: InFlightBatch, outputs: readonly number[] | 'all'): readonly number[] | 'all' {
    const settled = batch.settle(outputs)
    this.#removeSettled(batch)
    return settled
  }

  /** The source needs its batch to acknowledge it: it is held until it is settled, and counts. */
  release(): void {}

  get bytes(): number {
    return this.#bytes
  }

  get records(): number {
    return this.#records
  }

  get behind(): number {
    let open = 0
    for (const batch of this.#batches) open += batch.open
    return open
  }

  get oldest(): number | undefined {
    const [first] = this.#batches
    return first?.since
  }

  letGo(): void {
    this.#batches.clear()
    this.#bytes = 0
  }

  #removeSettled(batch: InFlightBatch): void {
    if (batch.open > 0 || !this.#batches.delete(batch)) return
    this.#bytes -= batch.bytes
    this.#records -= batch.source.count
  }
}

/** Acknowledges each record as it is settled. There is no position, and nothing to commit. */
export class Individual implements SettlementStrategy {
  readonly inFlight = new Unordered()
  readonly shared = true
  readonly committed = undefined
  readonly #settlement: Extract<Settlement, { readonly kind: 'individual' }>
  readonly #options: Pick<SettlementOptions, 'clock' | 'statistics'>
  #closed = false

  constructor(settlement: Extract<Settlement, { readonly kind: 'individual' }>, options: SettlementOptions) {
    this.#settlement = settlement
    this.#options = options
  }

  settle(batch: InFlightBatch, outputs: readonly number[] | 'all'): void {
    this.#acknowledge(batch.source, this.inFlight.settle(batch, outputs))
  }

  derive(batch: InFlightBatch, outputs: Outputs): number {
    const settled = this.inFlight.derive(batch, outputs)
    this.#acknowledge(batch.source, settled)
    return settled.length
  }

  commit(): Promise<void> {
    return Promise.resolve()
  }

  commitEarly(): Promise<void> {
    return Promise.resolve()
  }

  commitUntilDeadline(): Promise<void> {
    return Promise.resolve()
  }

  letGo(): void {
    this.inFlight.letGo()
  }

  close(): void {
    this.#closed = true
  }

  #acknowledge(batch: SourceBatch, indexes: readonly number[] | 'all'): void {
    if (this.#closed || indexes.length === 0) return
    this.#settlement.settled(batch, indexes)
    this.#options.statistics.committed(this.#options.clock.now())
  }
}
