import type { BackoffSettings } from './backoff.ts'
import type { Clock } from './clock.ts'
import { settlementOf } from './commit/chosen-settlement.ts'
import type { SettlementStrategy } from './commit/settlement.ts'
import type { AppendSink, Ordering, PartitionReader, Position, Sink, Stage } from './contracts.ts'
import { Delivery } from './delivery/delivery.ts'
import type { Part } from './delivery/write-batch.ts'
import type { BridgeError } from './errors.ts'
import type { Component, ErrorTracker } from './health/error-tracker.ts'
import type { Statistics } from './health/statistics.ts'
import { Intake } from './intake/intake.ts'
import type { MemoryBudget } from './intake/memory-budget.ts'

export interface PumpOptions {
  readonly reader: PartitionReader
  /** A limit of the rate holds it back. */
  readonly limited: () => boolean
  readonly stages: readonly Stage[]
  readonly sink: Sink | AppendSink
  /** Absent: the partition stops at a record that cannot be delivered. */
  readonly deadLetterSink: Sink | AppendSink | undefined
  readonly ordering: Ordering
  /** Lanes the sink likes to have. */
  readonly lanes: number
  /** `${kind}/${stream}`, for `SinkBatch.origin`. */
  readonly origin: string
  readonly backoff: BackoffSettings
  /** Shared by all partitions of the replica. */
  readonly budget: MemoryBudget
  /** Milliseconds between two calls of `commit` by the owner of the pump. */
  readonly commitInterval: number
  /** Payload bytes this partition may hold; one batch is always allowed. Changes as partitions come and go. */
  readonly share: () => number
  /** What the sink had accepted is lost: the source has to be read again from what is committed. */
  readonly lost: (error: BridgeError) => void
  readonly clock: Clock
  readonly random: () => number
  readonly statistics: Statistics
  readonly errors: ErrorTracker
}

/** Why a partition waits for a person. */
export interface Halt {
  readonly reason: 'StoppedAtRecord' | 'DataGap'
  readonly message: string
}

/** Moves the records of one partition for one ownership epoch: intake → delivery → settlement. */
export class Pump {
  readonly reader: PartitionReader
  readonly #options: PumpOptions
  readonly #intake: Intake
  readonly #delivery: Delivery
  readonly #settlement: SettlementStrategy
  #ended = false
  #closed = false
  #halted: Halt | undefined
  #movedAt: number

  constructor(options: PumpOptions) {
    const { reader, sink, origin, clock } = options
    this.#options = options
    this.reader = reader
    this.#movedAt = clock.monotonic()
    this.#settlement = settlementOf({ ...options, ended: () => this.#ended, fenced: () => this.lose() })
    this.#delivery = new Delivery({
      ...options,
      origin: {
        origin: `${origin}/${reader.partition}`,
        partition: reader.partition,
        stream: reader.stream ?? origin.slice(origin.indexOf('/') + 1),
        epoch: reader.epoch,
      },
      accepted: (parts, bytes) => this.#accepted(parts, bytes, 'append' in sink),
      durable: (parts, records, bytes) => this.#durable(parts, records, bytes),
      lost: (error) => this.#unlessClosed(() => options.lost(error)),
      deadLettered: (batch, index, reason, first) =>
        this.#unlessClosed(() => {
          if (first) options.statistics.deadLettered(reason, clock.now())
          this.#settle(batch.locate([index]))
        }),
      halt: (component, error) => this.#halt(component, 'StoppedAtRecord', error),
      failing: (component, place, error) => this.#failing(component, place, error),
      retried: (records) => options.statistics.retried(records),
      idle: () => this.#idle(),
    })
    this.#intake = new Intake({
      ...options,
      settlement: this.#settlement,
      holder: this,
      allowed: () => Math.min(options.share(), this.#delivery.enough),
      push: (slice) => this.#delivery.push(slice),
      began: () => void (this.#movedAt = clock.monotonic()),
      ended: () => {
        this.#ended = true
        if (!this.#delivery.busy) this.#idle()
        return this.commit()
      },
      gap: (error) => this.#halt('source', 'DataGap', error),
    })
  }

  start(): void {
    this.#intake.start()
    void this.#settlement.commitEarly(this.#options.commitInterval, this.#intake.signal)
  }

  get halted(): Halt | undefined {
    return this.#halted
  }

  /** The rate has not let go all of what was read: it is what holds the partition back. */
  get limited(): boolean {
    return this.#options.limited()
  }

  get inFlightBytes(): number {
    return this.#settlement.inFlight.bytes
  }

  get inFlightRecords(): number {
    return this.#settlement.inFlight.records
  }

  get committed(): Position | undefined {
    return this.#settlement.committed
  }

  /** Several replicas read the partition: what waits may be another's. */
  get shared(): boolean {
    return this.#settlement.shared
  }

  /** Monotonic milliseconds at which the oldest unsettled batch was taken. */
  get oldest(): number | undefined {
    return this.#settlement.inFlight.oldest
  }

  /** Monotonic milliseconds of the last settlement, or of when there began to be something to settle. */
  get movedAt(): number {
    if (!this.busy) this.#movedAt = this.#options.clock.monotonic()
    return this.#movedAt
  }

  /** True when something is in flight or known to wait for this replica; what a shared partition holds may go to another. */
  get busy(): boolean {
    if (this.inFlightRecords > 0) return true
    if (this.shared) return false
    const lag = this.reader.lag()
    return lag.kind === 'known' && ((lag.records ?? 0) > 0 || (lag.seconds ?? 0) >= 1)
  }

  commit(): Promise<void> {
    return this.#settlement.commit()
  }

  /**
   * Stops polling, lets what is in flight finish until the deadline, and commits.
   * @returns records given up at the deadline; the next owner reads them again
   */
  async drain(deadline: AbortSignal): Promise<number> {
    await this.#delivery.drain(this.#intake.stop(), deadline)
    await this.#settlement.commitUntilDeadline(deadline)
    this.#close()
    return this.#settlement.inFlight.behind
  }

  /** Ownership is gone: whatever is in flight no longer counts, nothing is committed. */
  lose(): void {
    this.#close()
    void this.#intake.stop()
    this.#delivery.abort()
  }

  #failing(component: Component, place: string, error: BridgeError | undefined): void {
    const { errors, statistics, clock } = this.#options
    if (this.#closed) return
    if (error === undefined) return errors.worked(component, place)
    errors.failed(component, place, error)
    if (component === 'sink' && error.reason === 'Throttled') statistics.throttled(clock.monotonic())
  }

  #accepted(parts: readonly Part[], bytes: number, early: boolean): void {
    if (this.#closed) return
    const { clock, statistics } = this.#options
    statistics.accepted(bytes, clock.monotonic())
    if (!early) return
    for (const { batch, indexes } of parts)
      if (batch.accept(indexes === 'all' ? batch.count : indexes.length)) this.#settlement.inFlight.release(batch)
    this.#moved()
  }

  #durable(parts: readonly Part[], records: number, bytes: number): void {
    if (this.#closed) return
    const { clock, statistics } = this.#options
    this.#settle(parts)
    statistics.delivered(records, bytes, clock.monotonic())
  }

  #settle(parts: readonly Part[]): void {
    for (const { batch, indexes } of parts) this.#settlement.settle(batch, indexes)
    this.#moved()
  }

  #moved(): void {
    this.#movedAt = this.#options.clock.monotonic()
    this.#intake.changed()
  }

  /** The partition waits for a person; ownership is kept, so that it does not wander from replica to replica. */
  #halt(component: Component, reason: Halt['reason'], error: BridgeError): void {
    if (this.#closed) return
    this.#halted ??= { reason, message: error.message }
    this.#options.errors.failed(component, `${this.reader.partition} halted`, error)
    void this.#intake.stop()
    this.#delivery.stop()
    if (!this.#delivery.busy) this.#idle()
    void this.commit()
  }

  /** What was accepted is made durable where nothing will follow it. */
  #idle(): void {
    if (this.#closed || (this.#halted === undefined && !this.#ended)) return
    void this.#delivery.flush(new AbortController().signal).then(() => this.#letGo())
  }

  /** What waits for a person does not wait in memory: the position is kept, and it is read again. */
  #letGo(): void {
    if (this.#closed || this.#halted === undefined) return
    this.#settlement.letGo()
    this.#options.budget.changed()
  }

  #close(): void {
    this.#closed = true
    this.#settlement.close()
    this.#options.budget.changed()
    this.#options.errors.forget(`${this.reader.partition} `)
  }

  #unlessClosed(tell: () => void): void {
    if (!this.#closed) tell()
  }
}
