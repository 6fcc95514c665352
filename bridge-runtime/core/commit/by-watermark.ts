import type { Position, Settlement } from '../contracts.ts'
import { Committer } from './committer.ts'
import type { InFlightBatch, Outputs } from './in-flight-batch.ts'
import type { SettlementOptions, SettlementStrategy } from './settlement.ts'
import { Watermark } from './watermark.ts'

/** Commits the contiguous watermark of a partition now and then. */
export class ByWatermark implements SettlementStrategy {
  readonly inFlight = new Watermark()
  readonly shared = false
  readonly #options: SettlementOptions
  readonly #committer: Committer

  constructor(settlement: Extract<Settlement, { readonly kind: 'watermark' }>, options: SettlementOptions) {
    this.#options = options
    this.#committer = new Committer({
      ...options,
      partition: options.reader.partition,
      commit: (progress) => settlement.commit(progress),
      progress: () => ({
        position: this.inFlight.position,
        ended: options.ended() && this.inFlight.records === 0,
      }),
    })
  }

  get committed(): Position | undefined {
    return this.#committer.position
  }

  settle(batch: InFlightBatch, outputs: readonly number[] | 'all'): void {
    this.inFlight.settle(batch, outputs)
    this.#commitEnd()
  }

  derive(batch: InFlightBatch, outputs: Outputs): number {
    const { length } = this.inFlight.derive(batch, outputs)
    this.#commitEnd()
    return length
  }

  commit(): Promise<void> {
    return this.#committer.commit()
  }

  commitEarly(interval: number, signal: AbortSignal): Promise<void> {
    return this.#committer.commitEarly(interval, signal)
  }

  commitUntilDeadline(deadline: AbortSignal): Promise<void> {
    return this.#committer.commitUntilDeadline(deadline)
  }

  letGo(): void {
    this.inFlight.letGo()
  }

  close(): void {
    this.#committer.close()
  }

  /** An end that is settled is not kept waiting for the interval. */
  #commitEnd(): void {
    if (this.#options.ended() && this.inFlight.records === 0) void this.commit()
  }
}
