/** One owned partition: asks for the next fetch when the last one is handed out, and remembers what is settled. */
import type { Lag, PartitionReader, Progress, Settlement, SourceBatch } from '../../../core/contracts.ts'
import { BridgeError, fenced } from '../../../core/errors.ts'
import { nameOf, type TopicPartition } from '../protocol/topic-partition.ts'
import { Cursor } from './cursor.ts'
import { answerError, codeName, leaderMoved } from '../errors.ts'
import type { FetchedBatch } from './fetched.ts'
import { InFlight } from './in-flight.ts'
import { LagMeter } from './lag.ts'
import { OpenTransaction } from './open-transaction.ts'
import { dataGap } from './data-gap.ts'
import type { ReaderOptions } from './reader-options.ts'
import type { UnreadableBatch } from './damaged/unreadable-batch.ts'
import type { FetchedPartition } from '../protocol/wire.ts'

/** What a reader needs of its source. */
export interface ReaderHost {
  /** Asks for one fetch of this reader's partition; it ends in `accept` or `fail`. */
  want(reader: KafkaReader): void
  /** Writes a position of this reader. Rejects with a BridgeError. */
  commit(reader: KafkaReader, offset: number): Promise<void>
  /** Looks up where the partition begins, after records are gone. Rejects with a BridgeError. */
  earliest(reader: KafkaReader): Promise<number>
  /** Looks up where the partition ends, as far as it may be read. Rejects with a BridgeError. */
  latest(reader: KafkaReader): Promise<number>
  /** Records are gone, and a person has decided to go on behind them. */
  passed(reader: KafkaReader, gap: string): void
  /** Gives the reader's partition a position behind a gap, perhaps of a topic made again. Rejects with a BridgeError. */
  goOn(reader: KafkaReader, topicId: string, offset: number): Promise<void>
  /** The id of this reader's topic as last heard: it changes when the topic is deleted and made again. */
  topicId(reader: KafkaReader): string | undefined
  /** Asks for the leaders again. Never rejects. */
  findLeaders(): Promise<void>
  /** Whether another fetch may be held before anybody asks for it. */
  mayPrefetch(): boolean
  /** Milliseconds since the epoch. */
  now(): number
}

/** Milliseconds between two commits behind what held no record. */
const passedInterval = 1_000

export class KafkaReader implements PartitionReader {
  readonly partition: string
  readonly stream: string
  readonly epoch: number
  readonly at: TopicPartition
  readonly settlement: Settlement = { kind: 'watermark', commit: (progress) => this.#commit(progress) }
  readonly #options: ReaderOptions
  readonly #host: ReaderHost
  readonly #meter: LagMeter
  readonly #transaction: OpenTransaction
  #topicId: string
  readonly #cursor: Cursor
  readonly #inFlight: InFlight
  #buffer: (FetchedBatch | UnreadableBatch)[] = []
  #error: BridgeError | undefined
  /** When it last committed behind what held no record. */
  #passedAt = Number.NEGATIVE_INFINITY
  #fetching = false
  #closed = false
  /** The topic is gone: what is settled late is no position of the one that took its place. */
  #gone = false
  #wakeUp = (): void => undefined

  constructor(host: ReaderHost, options: ReaderOptions) {
    this.#host = host
    this.#options = options
    const { at, epoch, topicId, offset, field } = options
    this.at = at
    this.partition = nameOf(at)
    this.stream = at.topic
    this.epoch = epoch
    this.#topicId = topicId
    this.#cursor = new Cursor({ latest: () => host.latest(this), passed: (gap) => host.passed(this, gap) }, options)
    this.#inFlight = new InFlight(offset)
    this.#meter = new LagMeter(offset)
    this.#transaction = new OpenTransaction(at, field)
  }

  get topicId(): string {
    return this.#topicId
  }

  get generation(): number {
    return this.#options.generation
  }

  /** The offset of the next fetch. */
  get position(): number {
    return this.#cursor.asks
  }

  get extraBytes(): number {
    return this.#cursor.extraBytes
  }

  /** Bytes fetched and not handed out. */
  get buffered(): number {
    return this.#buffer.reduce((sum, { size }) => sum + size, 0)
  }

  get closed(): boolean {
    return this.#closed
  }

  async poll(signal: AbortSignal): Promise<SourceBatch | undefined> {
    if (this.#options.gap !== undefined) throw this.#options.gap
    if (this.#buffer.length === 0 && this.#error === undefined) await this.#nextFetch(signal)
    const batch = this.#buffer.shift()
    if (batch === undefined) {
      const error = this.#error
      this.#error = undefined
      if (error !== undefined && !signal.aborted) throw error
      return undefined
    }
    this.#inFlight.handedOut(batch.end)
    this.#meter.handedOut(batch.last, batch.lastTimestamp)
    if (this.#buffer.length === 0 && this.#error === undefined && this.#host.mayPrefetch()) this.#want()
    return batch
  }

  lag(): Lag {
    return this.#meter.lag(this.#host.now())
  }

  /** Where the partition ends: what an open transaction holds back counts as well. */
  endIs(offset: number): void {
    this.#meter.endIs(offset)
  }

  /** Ownership has ended: nothing is fetched or committed any more. */
  close(): void {
    this.#closed = true
    this.#buffer = []
    this.#inFlight.release()
  }

  /** The fetch failed as a whole. */
  fail(error: BridgeError): void {
    if (this.#closed) return
    this.#fetching = false
    this.#error = error
    this.#wakeUp()
  }

  /** The fetch was answered. Never rejects. @param crowded see `Cursor.answered` */
  async accept(fetched: FetchedPartition, crowded = false): Promise<void> {
    if (this.#closed) return
    const name = codeName(fetched.errorCode)
    if (name === 'UNKNOWN_TOPIC_OR_PARTITION') await this.#host.findLeaders()
    const topicId = this.#host.topicId(this)
    if (topicId !== undefined && topicId !== this.#topicId) await this.#recreated(topicId)
    else if (this.#cursor.knows(fetched.errorCode)) await this.#read(fetched, crowded)
    else if (leaderMoved.has(name)) await this.#host.findLeaders()
    else if (name === 'OFFSET_OUT_OF_RANGE') await this.#outOfRange(fetched)
    else this.#error = answerError(name, `reading topic "${this.at.topic}" partition ${this.at.partition}`)
    this.#fetching = false
    if (!this.#closed) this.#wakeUp()
  }

  async #read(fetched: FetchedPartition, crowded: boolean): Promise<void> {
    if (fetched.errorCode === 0) this.#meter.endIs(fetched.highWatermark)
    try {
      const { batches, error } = await this.#cursor.answered(fetched, crowded)
      this.#buffer.push(...batches)
      this.#error = error
    } catch (thrown) {
      if (!(thrown instanceof BridgeError)) throw thrown
      this.#error = thrown
    }
    const { position } = this.#cursor
    if (this.#options.readCommitted && fetched.errorCode === 0)
      this.#transaction.saw(fetched, position, this.#host.now())
    // Only markers and aborted records, and nothing before them is open: as good as settled.
    if (this.#buffer.length > 0 || this.#inFlight.open) return
    this.#meter.settledTo(position)
    if (this.#error === undefined) void this.#commitPassed(position)
  }

  /**
   * Commits behind what held no record. Else it would be missed once retention has removed it: a restart would take it for records
   * that are gone. What fails is tried again with the next answer of the broker, which comes though nothing does.
   */
  async #commitPassed(offset: number): Promise<void> {
    const now = this.#host.now()
    if (this.#closed || this.#gone || offset <= this.#inFlight.settled || now - this.#passedAt < passedInterval) return
    this.#passedAt = now
    await this.#host.commit(this, offset).then(
      () => this.#inFlight.settledTo(Math.max(offset, this.#inFlight.settled)),
      () => undefined,
    )
  }

  /** What a person should know when records wait behind a transaction that has been open for a while. */
  get heldBack(): BridgeError | undefined {
    return this.#transaction.error(this.#host.now())
  }

  /** The records we had not read are gone with the old topic. */
  async #recreated(topicId: string): Promise<void> {
    this.#gone = true
    await this.#gap('the topic was deleted and made again', topicId)
  }

  /** Retention ran past us, or an unclean election cut the partition. */
  async #outOfRange({ highWatermark }: FetchedPartition): Promise<void> {
    await this.#gap(
      highWatermark < 0 ? 'it is out of range' : `it is out of range, the partition ends at ${highWatermark}`,
    )
  }

  /** Records are gone: waits for a person, or goes on from the earliest. */
  async #gap(why: string, topicId = this.#topicId): Promise<void> {
    try {
      const earliest = await this.#host.earliest(this)
      const detail = `position ${this.#cursor.position} is gone, ${why}, the earliest record is at ${earliest}`
      if (this.#options.onDataGap === 'Stop') {
        this.#error = dataGap(this.at, detail)
        return
      }
      this.#host.passed(this, detail)
      // What is settled later would be taken for a position behind the gap.
      await this.#inFlight.allSettled()
      await this.#host.goOn(this, topicId, earliest)
      this.#topicId = topicId
      this.#gone = false
      this.#cursor.jump(earliest)
      this.#inFlight.beginAt(earliest)
    } catch (thrown) {
      if (!(thrown instanceof BridgeError)) throw thrown
      this.#error = thrown
    }
  }

  #want(): void {
    if (this.#fetching || this.#closed) return
    this.#fetching = true
    this.#host.want(this)
  }

  /** Waits for one fetch or the signal; a closed reader for the signal alone. */
  async #nextFetch(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const wakeUp = (): void => resolve()
    this.#wakeUp = wakeUp
    signal.addEventListener('abort', wakeUp, { once: true })
    this.#want()
    await promise
    signal.removeEventListener('abort', wakeUp)
  }

  async #commit({ position }: Progress): Promise<void> {
    if (this.#closed) throw fenced(this.partition)
    if (typeof position !== 'number') return
    const idle = this.#buffer.length === 0 ? this.#cursor.position : undefined
    const offset = this.#inFlight.offsetBehind(position, idle)
    if (offset <= this.#inFlight.settled) return
    if (!this.#gone) await this.#host.commit(this, offset)
    this.#inFlight.settledTo(offset)
    this.#meter.settledTo(offset)
  }
}
