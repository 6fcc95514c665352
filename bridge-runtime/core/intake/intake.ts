import { backoff, type BackoffSettings } from '../backoff.ts'
import type { Clock } from '../clock.ts'
import type { InFlightBatch } from '../commit/in-flight-batch.ts'
import type { SettlementStrategy } from '../commit/settlement.ts'
import type { PartitionReader, SourceBatch, Stage } from '../contracts.ts'
import { type Slice, wholeSlice } from '../delivery/write-batch.ts'
import { asBridgeError, type BridgeError } from '../errors.ts'
import type { ErrorTracker } from '../health/error-tracker.ts'
import type { Statistics } from '../health/statistics.ts'
import type { MemoryBudget } from './memory-budget.ts'
import { keepPolling } from './polling.ts'
import { applyStages } from './staging.ts'

export interface IntakeOptions {
  readonly reader: PartitionReader
  readonly stages: readonly Stage[]
  readonly settlement: SettlementStrategy
  readonly budget: MemoryBudget
  /** What the budget is asked for. */
  readonly holder: { readonly inFlightBytes: number }
  /** Payload bytes that the partition may hold now; one batch is always allowed. */
  readonly allowed: () => number
  /** Takes what goes on to the lanes. */
  readonly push: (slice: Slice) => void
  /** There is something in flight where there was nothing. */
  readonly began: () => void
  /** The partition is closed and fully read. */
  readonly ended: () => Promise<void>
  readonly gap: (error: BridgeError) => void
  readonly backoff: BackoffSettings
  readonly clock: Clock
  readonly random: () => number
  readonly statistics: Statistics
  readonly errors: ErrorTracker
}

/** A reason that is there already: one that is made here holds the frames it is made in, and with them the batch that stopped the partition. */
const stopped = 'stopped'

/** Takes batches from a reader while there is room, through the stages, and pushes them on in their order. */
export class Intake {
  readonly #options: IntakeOptions
  readonly #polling = new AbortController()
  #wake: (() => void) | undefined
  #polled: Promise<void> = Promise.resolve()

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /** Aborts when nothing is polled any more. */
  get signal(): AbortSignal {
    return this.#polling.signal
  }

  start(): void {
    this.#polled = keepPolling(
      {
        ...this.#options,
        room: () => this.#room(),
        take: (batch) => this.#take(batch),
      },
      this.signal,
    )
  }

  /** Resolves when nothing more will be pushed. What was polled and not taken is read again. */
  stop(): Promise<void> {
    this.#polling.abort(stopped)
    this.#wake?.()
    return this.#polled
  }

  /** Something was settled or left the memory: there may be room. */
  changed(): void {
    this.#options.budget.changed()
    if (!this.#full()) this.#wake?.()
  }

  /** Waits until the partition holds less than it may: not polling is the backpressure. */
  async #room(): Promise<void> {
    while (this.#full() && !this.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    this.#wake = undefined
  }

  #full(): boolean {
    const { inFlight } = this.#options.settlement
    return inFlight.bytes > 0 && inFlight.bytes >= this.#options.allowed()
  }

  async #take(batch: SourceBatch): Promise<void> {
    const { budget, holder, stages, statistics, clock } = this.#options
    let taken: InFlightBatch | undefined
    await budget.admit(holder, batch.bytes, () => void (taken = this.#hold(batch)), this.signal)
    if (taken === undefined) return
    statistics.taken(batch.count, batch.bytes, clock.monotonic())
    if (stages.length > 0) await this.#derive(taken)
    else this.#options.push(wholeSlice(taken))
  }

  #hold(batch: SourceBatch): InFlightBatch {
    const { settlement, clock, began } = this.#options
    if (settlement.inFlight.records === 0) began()
    return settlement.inFlight.add(batch, clock.monotonic())
  }

  /** A stage that fails is asked again: nothing is skipped, and the partition waits. */
  async #derive(batch: InFlightBatch): Promise<void> {
    const { stages, reader, settlement, statistics, errors, clock, random } = this.#options
    const place = `${reader.partition} stages`
    for (let failures = 0; !this.signal.aborted; failures += 1) {
      try {
        const staged = await applyStages(stages, batch.records(), clock, this.signal)
        if (staged === undefined) return
        if (failures > 0) errors.worked('transform', place)
        const { outputs, steps } = staged
        for (const figures of steps) statistics.stepped(figures)
        if (outputs !== undefined) statistics.dropped(settlement.derive(batch, outputs))
        if (batch.count > 0) this.#options.push(wholeSlice(batch, outputs?.bytes))
        this.changed()
        return
      } catch (thrown) {
        if (this.signal.aborted) return
        errors.failed('transform', place, asBridgeError(thrown))
        await clock.sleep(backoff(this.#options.backoff, failures, random), this.signal)
      }
    }
  }
}
