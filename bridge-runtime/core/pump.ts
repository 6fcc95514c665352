import { Cargo, load, type Slice } from './cargo.ts'
import { Committer } from './committer.ts'
import type { PartitionReader, Position, SourceBatch } from './contracts.ts'
import { type DeliveryOptions, deliver } from './delivery.ts'
import type { BridgeError } from './errors.ts'
import type { Component } from './failing.ts'
import { distribute, laneCount } from './lanes.ts'
import { released } from './pacing.ts'
import { keepPolling } from './polling.ts'
import type { Halt, PumpOptions } from './pump-options.ts'
import { setAside } from './set-aside.ts'
import { type Tracked, Watermark } from './watermark.ts'

/** Moves the records of one partition for one ownership epoch: poll → lanes → sink → watermark → commit. */
export class Pump {
  readonly reader: PartitionReader
  readonly #options: PumpOptions
  readonly #watermark: Watermark
  readonly #committer: Committer
  readonly #lanes: Slice[][]
  readonly #working = new Set<number>()
  readonly #polling = new AbortController()
  readonly #writing = new AbortController()
  #wake: (() => void) | undefined
  readonly #quiet: (() => void)[] = []
  #ordinal = 0
  /** Records of the newest batch that the rate has not let go. */
  #withheld = 0
  #ended = false
  #closed = false
  #halted: Halt | undefined
  #movedAt: number
  #polled: Promise<void> = Promise.resolve()

  constructor(options: PumpOptions) {
    const { reader, clock } = options
    this.#options = options
    this.reader = reader
    this.#lanes = Array.from({ length: laneCount(options.ordering, options.lanes) }, () => [])
    this.#movedAt = clock.monotonic()
    this.#watermark = new Watermark({ contiguous: reader.settlement.kind === 'watermark' })
    this.#committer = new Committer({
      ...options,
      progress: () => ({ position: this.#watermark.position, ended: this.#ended && this.#watermark.records === 0 }),
      fenced: () => this.lose(),
    })
  }

  start(): void {
    this.#polled = keepPolling(
      {
        ...this.#options,
        room: () => this.#room(),
        take: (batch) => this.#take(batch),
        ended: () => {
          this.#ended = true
          return this.commit()
        },
        gap: (error) => this.#halt('source', 'DataGap', error),
      },
      this.#polling.signal,
    )
    void this.#committer.commitEarly(this.#options.commitInterval, this.#polling.signal)
  }

  get halted(): Halt | undefined {
    return this.#halted
  }

  /** The rate has not let go all of what was read: it is what holds the partition back. */
  get limited(): boolean {
    return this.#withheld > 0
  }

  get inFlightBytes(): number {
    return this.#watermark.bytes
  }

  get inFlightRecords(): number {
    return this.#watermark.records
  }

  get committed(): Position | undefined {
    return this.#committer.position
  }

  /** Monotonic milliseconds at which the oldest unsettled batch was taken. */
  get oldest(): number | undefined {
    return this.#watermark.oldest
  }

  /** Monotonic milliseconds of the last settlement, or of when there began to be something to settle. */
  get movedAt(): number {
    if (!this.busy) this.#movedAt = this.#options.clock.monotonic()
    return this.#movedAt
  }

  /** True when something is in flight or known to wait for this replica; what a shared partition holds may go to another. */
  get busy(): boolean {
    if (this.#watermark.records > 0) return true
    if (this.reader.settlement.kind === 'individual') return false
    const lag = this.reader.lag()
    return lag.kind === 'known' && ((lag.records ?? 0) > 0 || (lag.seconds ?? 0) >= 1)
  }

  commit(): Promise<void> {
    return this.#committer.commit()
  }

  /**
   * Stops polling, lets what is in flight finish until the deadline, and commits.
   * @returns records given up at the deadline; the next owner reads them again
   */
  async drain(deadline: AbortSignal): Promise<number> {
    this.#stopPolling()
    const giveUp = (): void => this.#writing.abort()
    if (deadline.aborted) giveUp()
    deadline.addEventListener('abort', giveUp, { once: true })
    await this.#polled
    while (this.#working.size > 0) await new Promise<void>((resolve) => this.#quiet.push(resolve))
    deadline.removeEventListener('abort', giveUp)
    await this.#committer.commitAtLast(this.#options, deadline)
    this.#close()
    return this.#watermark.behind - this.#withheld
  }

  /** Ownership is gone: whatever is in flight no longer counts, nothing is committed. */
  lose(): void {
    this.#close()
    this.#stopPolling()
    this.#writing.abort()
  }

  /** Waits until the partition holds less than its share: not polling is the backpressure. */
  async #room(): Promise<void> {
    while (this.#full() && !this.#polling.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    this.#wake = undefined
  }

  /** Two full requests per lane keep it busy, one on its way and one ready: more would only take memory. */
  #full(): boolean {
    const enough = 2 * this.#lanes.length * this.#options.sink.limits.maxBytes
    return this.#watermark.records > 0 && this.#watermark.bytes >= Math.min(this.#options.share(), enough)
  }

  #stopPolling(): void {
    this.#polling.abort()
    this.#wake?.()
  }

  /**
   * Resolves when there was room for the batch and the rate has let all of it go. What a stop leaves here was not moved: it is
   * read again.
   */
  async #take(batch: SourceBatch): Promise<void> {
    const { budget, rateLimit } = this.#options
    const { signal } = this.#polling
    let tracked: Tracked | undefined
    await budget.admit(this, batch.bytes, () => void (tracked = this.#hold(batch)), signal)
    if (tracked === undefined) return
    for await (const slice of released(tracked, rateLimit, signal)) this.#handOut(slice)
  }

  #hold(batch: SourceBatch): Tracked {
    const now = this.#options.clock.monotonic()
    if (this.#watermark.records === 0) this.#movedAt = now
    this.#withheld = batch.count
    return this.#watermark.add(batch, now)
  }

  #handOut(slice: Slice): void {
    const { clock, ordering, statistics } = this.#options
    this.#withheld -= slice.count
    statistics.taken(slice.count, slice.bytes, clock.monotonic())
    for (const [lane, part] of distribute(slice, ordering, this.#lanes.length, this.#ordinal)) {
      const queue = this.#lanes[lane]
      if (queue === undefined) throw new RangeError(`no lane ${lane}`)
      queue.push(part)
      if (!this.#working.has(lane)) void this.#work(lane, queue)
    }
    this.#ordinal += 1
  }

  /** One lane: one sink request at a time, in order. */
  async #work(lane: number, queue: Slice[]): Promise<void> {
    this.#working.add(lane)
    const { signal } = this.#writing
    const { partition } = this.reader
    const delivery = this.#delivery(`${partition} lane ${lane}`)
    while (queue.length > 0 && this.#halted === undefined && !signal.aborted) {
      const cargo = new Cargo(
        { origin: `${this.#options.origin}/${partition}`, partition },
        load(queue, delivery.sink.limits),
      )
      if ((await deliver(cargo, delivery, signal)) !== 'delivered') break
    }
    this.#working.delete(lane)
    if (this.#working.size > 0) return
    if (this.#halted !== undefined) this.#letGo()
    for (const resolve of this.#quiet.splice(0)) resolve()
  }

  #delivery(place: string): DeliveryOptions {
    const { sink, deadLetterSink, backoff: settings, clock, random, statistics } = this.#options
    const common = { backoff: settings, clock, random, retried: (records: number) => statistics.retried(records) }
    return {
      ...common,
      sink,
      failing: (error) => this.#failing('sink', place, error),
      delivered: (cargo, indexes) => this.#deliveredTo(cargo, indexes),
      setAside: (cargo, poison) =>
        setAside(
          cargo,
          poison,
          {
            ...common,
            deadLetterSink,
            failing: (error) => this.#failing('deadLetter', place, error),
            halt: (component, error) => this.#halt(component, 'StoppedAtRecord', error),
            lettered: (index, reason) => {
              if (this.#closed) return
              statistics.deadLettered(reason, clock.now())
              for (const { tracked, indexes } of cargo.locate([index])) this.#settle(tracked, indexes)
            },
          },
          this.#writing.signal,
        ),
    }
  }

  #failing(component: Component, place: string, error: BridgeError | undefined): void {
    const { failing, statistics, clock } = this.#options
    if (this.#closed) return
    if (error === undefined) return failing.worked(component, place)
    failing.failed(component, place, error)
    if (error.reason === 'Throttled') statistics.throttled(clock.monotonic())
  }

  #deliveredTo(cargo: Cargo, indexes: readonly number[] | 'all'): void {
    if (this.#closed) return
    const { clock, statistics } = this.#options
    const count = indexes === 'all' ? cargo.count : indexes.length
    const slices = indexes === 'all' ? cargo.slices : cargo.locate(indexes)
    for (const { tracked, indexes: part } of slices) this.#settle(tracked, part)
    statistics.delivered(count, (cargo.bytes * count) / cargo.count, clock.monotonic())
  }

  #settle(tracked: Tracked, indexes: readonly number[] | undefined): void {
    if (indexes === undefined) this.#watermark.settleAll(tracked)
    else this.#watermark.settle(tracked, indexes)
    const { settlement } = this.reader
    const { clock, statistics } = this.#options
    if (settlement.kind === 'individual') {
      settlement.settled(tracked.batch, indexes ?? 'all')
      statistics.committed(clock.now())
    }
    this.#movedAt = clock.monotonic()
    this.#options.budget.changed()
    if (!this.#full()) this.#wake?.()
    if (this.#ended && this.#watermark.records === 0) void this.commit()
  }

  /** The partition waits for a person; ownership is kept, so that it does not wander from replica to replica. */
  #halt(component: Component, reason: Halt['reason'], error: BridgeError): void {
    if (this.#closed) return
    this.#halted ??= { reason, message: error.message }
    this.#options.failing.failed(component, `${this.reader.partition} halted`, error)
    this.#stopPolling()
    if (this.#working.size === 0) this.#letGo()
    void this.commit()
  }

  /** What waits for a person does not wait in memory: the position is kept, and it is read again. */
  #letGo(): void {
    for (const queue of this.#lanes) queue.length = 0
    this.#watermark.letGo()
    this.#options.budget.changed()
  }

  #close(): void {
    this.#closed = true
    this.#options.budget.changed()
    this.#committer.close()
    this.#options.failing.forget(`${this.reader.partition} `)
  }
}
