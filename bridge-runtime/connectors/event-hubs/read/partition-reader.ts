import type { Clock } from '../../../core/clock.ts'
import type { Lag, PartitionReader, Settlement, SourceBatch } from '../../../core/contracts.ts'
import { asBridgeError, BridgeError } from '../../../core/errors.ts'
import { gapAdvice } from '../../../history/advice.ts'
import type { Ownership } from '../../../leases/partitioned-source.ts'
import type { Logger } from '../../../observability/logger.ts'
import type { ReceiverLink } from '../amqp/links.ts'
import { Arrivals } from './arrivals.ts'
import { incoming } from './incoming.ts'
import type { HubApi, PartitionProperties } from '../hub.ts'
import { PartitionLag } from './lag.ts'
import { filterOf, type Start, startOf } from './start.ts'

export interface HubReaderOptions {
  readonly api: HubApi
  readonly consumerGroup: string
  readonly onDataGap: 'Stop' | 'Continue'
  readonly replica: string
  readonly clock: Clock
  readonly log: Logger
}

/** Milliseconds between two looks at the partition's properties: the lag, and whether the connection still lives. */
const watchInterval = 10_000
/** Milliseconds a poll waits for events; shorter when it has just attached, to report that it works. */
const pollTimeout = 5_000
const firstPollTimeout = 250
/** Longest name of a reader that the service takes. */
const longestName = 64

/**
 * Reads one partition through a link with its ownership epoch as owner level. A link that ended is attached anew behind the
 * last event that arrived, so that nothing is skipped or read twice.
 */
export class HubReader implements PartitionReader {
  readonly stream = undefined
  readonly partition: string
  readonly epoch: number
  readonly settlement: Settlement
  readonly #ownership: Ownership
  readonly #options: HubReaderOptions
  readonly #lag: PartitionLag
  readonly #arrivals = new Arrivals()
  readonly #closed = new AbortController()
  #start: Start
  /** Number and time of the latest event: one that cannot be read is taken to follow it. */
  #latest = { sequenceNumber: -1, enqueued: 0 }
  #link: ReceiverLink | undefined
  #failure: BridgeError | undefined
  /** A jump in the numbers of events: the last one before it. */
  #jump: { readonly before: number; readonly after: number } | undefined
  #wake: (() => void) | undefined
  #waking = false
  #watching = false

  constructor(ownership: Ownership, options: HubReaderOptions) {
    const { partition, epoch, checkpoint, start } = ownership
    this.partition = partition
    this.epoch = epoch
    this.#ownership = ownership
    this.#options = options
    const { position } = checkpoint
    this.#start = position === undefined ? startOf(start, partition) : { after: Number(position) }
    this.#lag = new PartitionLag(position === undefined ? undefined : Number(position))
    this.settlement = {
      kind: 'watermark',
      commit: async (progress) => {
        await ownership.commit(progress)
        if (progress.position !== undefined) this.#lag.committed(Number(progress.position))
      },
    }
  }

  lag(): Lag {
    return this.#lag.at(this.#options.clock.monotonic())
  }

  async poll(signal: AbortSignal): Promise<SourceBatch | undefined> {
    const stopped = AbortSignal.any([signal, this.#closed.signal])
    const attached = this.#link !== undefined
    if (this.#arrivals.empty) {
      this.#throwFailure()
      if (stopped.aborted) return undefined
      try {
        if (!attached) await this.#attach(stopped)
      } catch (thrown) {
        if (stopped.aborted) return undefined
        throw thrown
      }
      this.#ask()
      await this.#arrival(attached ? pollTimeout : firstPollTimeout, stopped)
    }
    if (stopped.aborted) return undefined
    if (this.#jump !== undefined) await this.#explainJump(this.#jump, stopped)
    const batch = this.#arrivals.take()
    if (batch === undefined) this.#throwFailure()
    this.#ask()
    return batch
  }

  /** Lets the partition go: what arrived and was not polled is the next owner's. */
  close(): void {
    this.#closed.abort()
    this.#drop()
    this.#arrivals.clear()
  }

  async #attach(signal: AbortSignal): Promise<void> {
    const { api, consumerGroup, replica } = this.#options
    const found = await api.properties(this.partition, signal)
    this.#tell(found)
    try {
      this.#checkGap(found)
    } catch (thrown) {
      await this.#checkStream(signal)
      throw thrown
    }
    if (this.#after === undefined)
      this.#latest = { sequenceNumber: found.empty ? found.last : found.begin - 1, enqueued: this.#options.clock.now() }
    const reader = replica.slice(-longestName)
    const from = { partition: this.partition, consumerGroup, epoch: this.epoch, filter: filterOf(this.#start), reader }
    const handlers = {
      message: (encoded: Buffer) => this.#arrived(encoded),
      ended: (error: BridgeError) => this.#failed(error),
    }
    this.#failure = undefined
    const link = await api.read(from, handlers, signal)
    if (signal.aborted) return link.close()
    try {
      await this.#checkStream(signal)
    } catch (thrown) {
      link.close()
      throw thrown
    }
    // It may have been refused since.
    if (this.#failure !== undefined) return
    this.#link = link
    if (!this.#watching) void this.#watch()
  }

  /** A hub that has only the name of the one that the position is of is not read. */
  async #checkStream(signal: AbortSignal): Promise<void> {
    const { stream, lookAgain } = this.#ownership
    const { birth } = (await this.#options.api.describe(signal)).stream
    if (birth === undefined || stream.birth === undefined || birth === stream.birth) return
    lookAgain()
    throw new BridgeError(`${stream.name} was made again while partition ${this.partition} was read`, {
      kind: 'retryable',
      reason: 'StreamReplaced',
    })
  }

  #arrived(encoded: Buffer): void {
    const before = this.#after
    const { sequenceNumber, enqueued } = this.#latest
    const event = incoming(encoded, { sequenceNumber: (before ?? sequenceNumber) + 1, enqueued })
    this.#latest = event
    if (before !== undefined && event.sequenceNumber <= before) return
    if (before !== undefined && event.sequenceNumber > before + 1)
      this.#jump ??= { before, after: event.sequenceNumber }
    this.#lag.begins(event.sequenceNumber - 1)
    this.#start = { after: event.sequenceNumber }
    this.#arrivals.add(event)
    if (event.last !== undefined) this.#lag.ends(event.last, this.#options.clock.monotonic())
    if (this.#arrivals.full) this.#drop()
    this.#notify()
  }

  get #after(): number | undefined {
    return typeof this.#start === 'object' && 'after' in this.#start ? this.#start.after : undefined
  }

  #failed(error: BridgeError): void {
    this.#failure = error
    this.#drop()
    this.#notify()
  }

  #throwFailure(): void {
    const failure = this.#failure
    this.#failure = undefined
    if (failure !== undefined) throw failure
  }

  #drop(): void {
    this.#link?.close()
    this.#link = undefined
  }

  #ask(): void {
    const link = this.#link
    if (link === undefined) return
    const room = this.#arrivals.room(link.credit)
    if (room > 0) link.addCredit(room)
  }

  /** Once per turn of the event loop, so that what arrives together is taken together. */
  #notify(): void {
    if (this.#waking) return
    this.#waking = true
    setImmediate(() => {
      this.#waking = false
      this.#wake?.()
    })
  }

  async #arrival(longest: number, signal: AbortSignal): Promise<void> {
    if (!this.#arrivals.empty || this.#failure !== undefined) return
    const over = new AbortController()
    this.#wake = () => over.abort()
    await this.#options.clock.sleep(longest, AbortSignal.any([signal, over.signal]))
    this.#wake = undefined
  }

  /** Asks now and then, polled or not. An answer that does not come ends a connection that is half open, and so the link. */
  async #watch(): Promise<void> {
    const { api, clock } = this.#options
    const closed = this.#closed.signal
    this.#watching = true
    while (!closed.aborted) {
      const reading = this.#link !== undefined && this.#arrivals.empty
      await clock.sleep(watchInterval, closed)
      if (closed.aborted) return
      const before = this.#after
      const found = await api.properties(this.partition, closed).catch(() => undefined)
      if (found !== undefined) await this.#watched(found, { before, reading: reading && this.#link !== undefined })
    }
  }

  /** @param look what was read when it began: events may have arrived since; and whether some could have since the last one */
  async #watched(
    found: PartitionProperties,
    look: { readonly before: number | undefined; readonly reading: boolean },
  ): Promise<void> {
    this.#tell(found)
    // Nothing came from the start position on: all there is lies before it.
    if (this.#after === undefined && look.reading) this.#lag.begins(found.last)
    if (look.before === undefined || found.empty || found.last >= look.before) return
    try {
      this.#checkGap(found)
    } catch (thrown) {
      const replaced = await this.#checkStream(this.#closed.signal).catch(asBridgeError)
      this.#failed(replaced ?? asBridgeError(thrown))
    }
  }

  #tell({ begin, last, empty }: PartitionProperties): void {
    this.#lag.ends(last, this.#options.clock.monotonic())
    const after = this.#after
    if (after !== undefined) this.#lag.begins(after)
    else if (empty) this.#lag.begins(last)
    else if (this.#start === 'first') this.#lag.begins(begin - 1)
  }

  /** What an empty partition tells of its numbers is not relied upon beyond need. */
  #checkGap({ begin, last, empty }: PartitionProperties): void {
    const after = this.#after
    if (after === undefined) return
    if (empty ? last > after : begin > after + 1)
      this.#gap(`the events from ${after + 1} to ${empty ? last : begin - 1} have passed the retention period`)
    else if (!empty && last < after)
      this.#gap(`event ${after} was read, but the newest is ${last}: the event hub was made anew`)
  }

  #gap(what: string): void {
    const { api, onDataGap, log } = this.#options
    const message = `partition ${this.partition} of event hub ${api.name}: ${what}`
    if (onDataGap === 'Stop')
      throw new BridgeError(`${message}; records may be lost: ${gapAdvice()}`, { kind: 'fatal', reason: 'DataGap' })
    log.warn('records are lost', { partition: this.partition, gap: what })
    this.#drop()
    this.#arrivals.clear()
    this.#start = 'first'
  }

  /** Numbers may be left out by the service; when the events in between were kept no longer they are a gap. */
  async #explainJump(jump: { readonly before: number; readonly after: number }, signal: AbortSignal): Promise<void> {
    const { begin, empty } = await this.#options.api.properties(this.partition, signal)
    this.#jump = undefined
    if (empty || begin <= jump.before + 1) return
    const { onDataGap, log } = this.#options
    const what = `the events from ${jump.before + 1} to ${jump.after - 1} have passed the retention period`
    if (onDataGap === 'Continue') return log.warn('records are lost', { partition: this.partition, gap: what })
    this.#drop()
    this.#arrivals.clear()
    this.#start = { after: jump.before }
    this.#gap(what)
  }
}
