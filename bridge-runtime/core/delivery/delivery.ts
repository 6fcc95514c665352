import type { BackoffSettings } from '../backoff.ts'
import type { Clock } from '../clock.ts'
import type { AppendSink, Ordering, Sink } from '../contracts.ts'
import type { BridgeError } from '../errors.ts'
import { deadLettering, type DeadLetterOptions } from './dead-lettering.ts'
import { isolating } from './isolating.ts'
import { distribute, laneCount } from './lanes.ts'
import { readableOnly } from './readable-only.ts'
import { type RetryOptions, retrying } from './retrying.ts'
import { type Origin, type Slice, take, WriteBatch } from './write-batch.ts'
import { type Acceptance, durably, sinkWriter, untold, type Writer } from './writer.ts'

export interface DeliveryOptions extends Acceptance, Pick<DeadLetterOptions, 'deadLettered' | 'halt'> {
  readonly sink: Sink | AppendSink
  /** Absent: the partition stops at a record that cannot be delivered. */
  readonly deadLetterSink: Sink | AppendSink | undefined
  readonly ordering: Ordering
  /** Lanes the sink likes to have. */
  readonly lanes: number
  readonly origin: Origin
  readonly backoff: BackoffSettings
  readonly clock: Clock
  readonly random: () => number
  /** A place fails with this error and will try again; undefined: it works. */
  readonly failing: (component: 'sink' | 'deadLetter', place: string, error: BridgeError | undefined) => void
  readonly retried: (records: number) => void
  /** Nothing is being written any more. */
  readonly idle: () => void
}

/**
 * Takes the records of one partition to the sink through lanes: a lane has one write in flight and keeps its order, and a
 * key has one lane.
 */
export class Delivery {
  readonly #options: DeliveryOptions
  readonly #lanes: readonly Slice[][]
  readonly #writing = new AbortController()
  readonly #working = new Set<number>()
  readonly #whenChanged: (() => void)[] = []
  /** Writes that were accepted and are not durable yet. */
  #accepted = 0
  #stopped = false
  #ordinal = 0

  constructor(options: DeliveryOptions) {
    this.#options = options
    this.#lanes = Array.from({ length: laneCount(options.ordering, options.lanes) }, () => [])
  }

  /** Bytes that keep all lanes busy: of each a full request on its way and one ready. More would only take memory. */
  get enough(): number {
    return 2 * this.#lanes.length * this.#options.sink.limits.maxBytes
  }

  get busy(): boolean {
    return this.#working.size > 0
  }

  push(slice: Slice): void {
    for (const [lane, part] of distribute(slice, this.#options.ordering, this.#lanes.length, this.#ordinal)) {
      const queue = this.#lanes[lane]
      if (queue === undefined) throw new RangeError(`no lane ${lane}`)
      queue.push(part)
      if (!this.#working.has(lane)) void this.#work(lane, queue)
    }
    this.#ordinal += 1
  }

  /** Begins no further write. What is on its way ends by itself. */
  stop(): void {
    this.#stopped = true
    for (const queue of this.#lanes) queue.length = 0
  }

  /** Gives up what is on its way, too. */
  abort(): void {
    this.#writing.abort('given up')
  }

  /**
   * Resolves when all that was pushed is durable or given up: when the deadline aborts at the latest.
   *
   * @param complete resolves when nothing more will be pushed
   */
  async drain(complete: Promise<void>, deadline: AbortSignal): Promise<void> {
    const giveUp = (): void => this.abort()
    if (deadline.aborted) giveUp()
    deadline.addEventListener('abort', giveUp, { once: true })
    await complete
    await this.#until(() => this.#working.size === 0)
    deadline.removeEventListener('abort', giveUp)
    await this.flush(deadline)
  }

  /** Makes durable what an append sink has accepted. */
  async flush(deadline: AbortSignal): Promise<void> {
    const { sink, origin } = this.#options
    if (!('append' in sink)) return
    const tell = (): void => this.#changed()
    deadline.addEventListener('abort', tell, { once: true })
    await sink.flush(origin.partition, deadline)
    await this.#until(() => this.#accepted === 0 || deadline.aborted)
    deadline.removeEventListener('abort', tell)
  }

  /** One lane: one sink request at a time, in order. */
  async #work(lane: number, queue: Slice[]): Promise<void> {
    this.#working.add(lane)
    const { signal } = this.#writing
    const { sink, origin } = this.#options
    const writer = this.#writer(`${origin.partition} lane ${lane}`)
    while (queue.length > 0 && !this.#stopped && !signal.aborted) {
      const failures = await writer.write(new WriteBatch(origin, take(queue, sink.limits)), signal)
      if (failures.size > 0) break
    }
    this.#working.delete(lane)
    if (this.#working.size > 0) return
    this.#options.idle()
    this.#changed()
  }

  #writer(place: string): Writer {
    const { sink, deadLetterSink, deadLettered, halt } = this.#options
    const deadLetters =
      deadLetterSink &&
      retrying(isolating(sinkWriter(durably(deadLetterSink), untold)), this.#retry('deadLetter', place))
    const once = readableOnly(isolating(sinkWriter(sink, this.#acceptance())))
    return retrying(deadLettering(once, { deadLetters, deadLettered, halt }), this.#retry('sink', place))
  }

  #acceptance(): Acceptance {
    const { accepted, durable, lost } = this.#options
    const over = (): void => {
      this.#accepted -= 1
      this.#changed()
    }
    return {
      accepted: (parts, bytes) => {
        this.#accepted += 1
        accepted(parts, bytes)
      },
      durable: (parts, records, bytes) => {
        durable(parts, records, bytes)
        over()
      },
      lost: (error) => {
        lost(error)
        over()
      },
    }
  }

  #retry(component: 'sink' | 'deadLetter', place: string): RetryOptions {
    const { backoff, clock, random, retried, failing } = this.#options
    return { backoff, clock, random, retried, failing: (error) => failing(component, place, error) }
  }

  #changed(): void {
    for (const resolve of this.#whenChanged.splice(0)) resolve()
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#whenChanged.push(resolve))
  }
}
