import type { Clock } from '../../../core/clock.ts'
import type { BridgeRecord, Lag, PartitionReader, SourceBatch } from '../../../core/contracts.ts'
import type { BridgeError } from '../../../core/errors.ts'
import type { Backlog } from '../subscription/backlog.ts'
import type { Connection, PullResponse, SubscriptionSettings } from '../connection.ts'
import { EmulatorPulling } from './emulator.ts'
import { type Delivery, type Held, Inventory } from '../held/inventory.ts'
import { Leases } from '../ack/leases.ts'
import { publishedAt, recordOf } from '../message.ts'
import type { Pull, PullingOptions } from './pulling.ts'
import { Streams } from './streams.ts'

export interface ReaderOptions {
  readonly connection: Connection
  /** `projects/P/subscriptions/S` */
  readonly subscription: string
  /** Undefined when it may not be looked at: then the stream tells. */
  readonly settings: SubscriptionSettings | undefined
  /** Google's own: see emulator.ts. */
  readonly emulator: boolean
  /** StreamingPulls open at the same time. */
  readonly streams: number
  readonly maxMessages: number
  readonly maxBytes: number
  /** Milliseconds. */
  readonly maxExtension: number
  readonly clock: Clock
  readonly random: () => number
  /** Pulling or acknowledging fails, or works again. */
  failing(what: 'pull' | 'acknowledge', error: BridgeError | undefined): void
  /** So many messages came again and were acknowledged without being handed on: the sink has them. */
  repeated(messages: number): void
  /** What the sink has comes again, and not for a reason of the service's own: it is handed on. */
  replayed(): void
}

/**
 * Milliseconds the service waits for a word on a message. Short, so that the messages of a killed replica come soon to
 * another one; with exactly-once delivery the service wants at least a minute.
 */
const lease = 15_000
const exactlyOnceLease = 60_000
/** Most of one batch. Its room is free again when all of it is settled, so a slow key in a large batch would keep much of it. */
const batchRecords = 250
const batchBytes = 256 * 1024
/** Messages that wait here when the emulator is not asked for more. */
const emulatorWaiting = 1_000
/** Seconds. The emulator puts what is given back behind later messages, what lapses before them. */
const emulatorLastLease = 1
/** Milliseconds for the last acknowledgements. */
const finalAckTimeout = 10_000

/** Reads one subscription, which all replicas share. */
export class SubscriptionReader implements PartitionReader {
  readonly stream = undefined
  readonly partition: string
  readonly epoch = 1
  readonly settlement: PartitionReader['settlement']
  readonly #options: ReaderOptions
  readonly #inventory: Inventory
  readonly #leases: Leases
  readonly #pulling: Pull
  readonly #batches = new WeakMap<SourceBatch, readonly Held[]>()
  readonly #stopped = new AbortController()
  readonly #lease: number
  #exactlyOnce: boolean
  /** With exactly-once delivery a message is ours only when the service says so. */
  #confirming: Promise<void> = Promise.resolve()
  #unconfirmed = 0
  #arrived: (() => void) | undefined
  #backlog: Backlog = { kind: 'unknown', reason: 'Cloud Monitoring was not asked yet' }

  constructor(options: ReaderOptions) {
    const { connection, subscription, settings, maxMessages, maxBytes, maxExtension, clock, random } = options
    this.#options = options
    this.partition = subscription.split('/').at(-1) ?? subscription
    this.#exactlyOnce = settings?.enableExactlyOnceDelivery ?? false
    this.#lease = this.#exactlyOnce ? exactlyOnceLease : lease
    this.#inventory = new Inventory({ lease: this.#lease, maxExtension }, clock.monotonic())
    this.settlement = { kind: 'individual', settled: (batch, indexes) => this.#settled(batch, indexes) }
    this.#leases = new Leases({
      connection,
      subscription,
      clock,
      random,
      // Of what may be out, a part too small to slow the service down.
      enough: { messages: maxMessages / 8, bytes: maxBytes / 8 },
      answered: (taken, refused) => {
        const how = this.#exactlyOnce ? 'assured' : 'taken'
        for (const each of taken) this.#inventory.answered(each, how, clock.monotonic())
        for (const each of refused) this.#inventory.answered(each, 'refused', clock.monotonic())
        this.#adjustFlow()
      },
      failing: (error) => options.failing('acknowledge', error),
    })
    this.#pulling = this.#startPulling()
    void this.#keepLeases()
  }

  async poll(signal: AbortSignal): Promise<SourceBatch | undefined> {
    if (!this.#inventory.ready) await this.#arrival(signal)
    if (signal.aborted) return undefined
    const held = this.#inventory.take(batchRecords, batchBytes)
    this.#adjustFlow()
    if (held.length === 0) return undefined
    const batch = batchOf(held)
    this.#batches.set(batch, held)
    return batch
  }

  /** The service's own count, minutes old, but never less than what is known here. */
  lag(): Lag {
    const here = this.#inventory.count
    if (this.#backlog.kind === 'unknown') return this.#backlog
    const { records, seconds } = this.#backlog
    return { kind: 'known', records: Math.max(records, here), seconds }
  }

  backlog(backlog: Backlog): void {
    this.#backlog = backlog
  }

  /** Takes no more messages. What is held goes on being held until `close`. */
  stop(): Promise<void> {
    return this.#pulling.stop()
  }

  /** Sends the last acknowledgements and gives back what is not settled, so that another replica gets it at once. */
  async close(): Promise<void> {
    await this.stop()
    await this.#confirming
    const deadline = AbortSignal.timeout(finalAckTimeout)
    await this.#leases.flushed(deadline)
    this.#stopped.abort()
    const open = this.#inventory.release()
    // Behind the acknowledgements: what is given back is delivered again with all that follows of its key.
    if (open.length > 0) await this.#leases.extend(open, this.#options.emulator ? emulatorLastLease : 0)
    this.#leases.close()
  }

  #startPulling(): Pull {
    const { connection, subscription, maxMessages, maxBytes, clock, random, emulator } = this.#options
    const streams = Math.min(this.#options.streams, maxMessages)
    const lease = this.#lease / 1000
    const options: Omit<PullingOptions, 'request'> = {
      connection,
      subscription,
      clock,
      random,
      received: (response) => this.#received(response),
      failing: (error) => this.#options.failing('pull', error),
    }
    if (emulator) return new EmulatorPulling({ ...options, connection, lease })
    const request = {
      subscription,
      streamAckDeadlineSeconds: lease,
      // What is on the way counts for the service as well, so each stream gets its part of the limits.
      maxOutstandingMessages: Math.ceil(maxMessages / streams),
      maxOutstandingBytes: Math.ceil(maxBytes / streams),
    }
    return new Streams(streams, { ...options, request })
  }

  #received({ receivedMessages, subscriptionProperties }: PullResponse): void {
    if (subscriptionProperties != null) this.#exactlyOnce = subscriptionProperties.exactlyOnceDeliveryEnabled ?? false
    const deliveries: Delivery[] = []
    for (const { ackId, message } of receivedMessages ?? [])
      if (ackId != null && message != null) deliveries.push({ ackId, message })
    if (deliveries.length === 0) return
    if (!this.#exactlyOnce) return this.#hold(deliveries)
    this.#unconfirmed += deliveries.length
    this.#confirming = this.#confirming.then(() => this.#confirm(deliveries))
    this.#adjustFlow()
  }

  #hold(deliveries: readonly Delivery[]): void {
    const { replays } = this.#inventory
    const settled = this.#inventory.received(deliveries, this.#options.clock.monotonic())
    if (this.#inventory.replays > replays) this.#options.replayed()
    if (settled.length > 0) {
      this.#leases.acknowledgeOnce(settled)
      this.#options.repeated(settled.length)
    }
    this.#adjustFlow()
    if (this.#inventory.ready) this.#arrived?.()
  }

  /** Never rejects. One response after the other, so that the order of their messages is kept. */
  async #confirm(deliveries: readonly Delivery[]): Promise<void> {
    const asked = deliveries.map(({ ackId, message }) => ({ ackId, id: message.messageId ?? '' }) as Held)
    const { held } = await this.#leases.extend(asked, this.#lease / 1000)
    const ours = new Set(held.map(({ ackId }) => ackId))
    this.#unconfirmed -= deliveries.length
    this.#hold(deliveries.filter(({ ackId }) => ours.has(ackId)))
  }

  /** Waits for a message that may be handed on, or the end. */
  #arrival(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#arrived = undefined
        signal.removeEventListener('abort', done)
        resolve()
      }
      if (signal.aborted) return resolve()
      this.#arrived = done
      signal.addEventListener('abort', done, { once: true })
    })
  }

  #settled(batch: SourceBatch, indexes: readonly number[] | 'all'): void {
    const held = this.#batches.get(batch)
    if (held === undefined || this.#stopped.signal.aborted) return
    const chosen = indexes === 'all' ? held : indexes.flatMap((index) => held[index] ?? [])
    this.#leases.acknowledge(chosen.filter((each) => this.#inventory.settle(each)))
    if (this.#inventory.ready) this.#arrived?.()
  }

  /** The service keeps to the limits as well, but counts in its own way. */
  #adjustFlow(): void {
    const { maxMessages, maxBytes, emulator } = this.#options
    const full =
      this.#inventory.count + this.#unconfirmed >= maxMessages ||
      this.#inventory.bytes >= maxBytes ||
      (emulator && this.#inventory.waiting >= emulatorWaiting)
    if (full && !this.#stopped.signal.aborted) this.#pulling.pause()
    else this.#pulling.resume()
  }

  async #keepLeases(): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#stopped
    while (!signal.aborted) {
      await clock.sleep(this.#lease / 6, signal)
      if (signal.aborted) return
      this.#inventory.lapse(this.#inventory.lapsed(clock.monotonic()), clock.monotonic())
      const asked = clock.monotonic()
      const due = this.#inventory.expiring(asked)
      if (due.length > 0) void this.#extend(due, asked)
      this.#adjustFlow()
    }
  }

  async #extend(due: readonly Held[], asked: number): Promise<void> {
    const { held, lost } = await this.#leases.extend(due, this.#lease / 1000)
    for (const each of held) this.#inventory.extended(each, asked + this.#lease)
    if (lost.length > 0) this.#inventory.lapse(lost, this.#options.clock.monotonic())
  }
}

function batchOf(held: readonly Held[]): SourceBatch {
  const newest = held.at(-1)
  let records: readonly BridgeRecord[] | undefined
  const messages = held.map(({ message = {} }) => message)
  return {
    count: held.length,
    bytes: held.reduce((sum, { bytes }) => sum + bytes, 0),
    first: held[0]?.id ?? '',
    last: newest?.id ?? '',
    lastTimestamp: publishedAt(messages.at(-1) ?? {}),
    records: () => (records ??= messages.map(recordOf)),
  }
}
