/** An idempotent producer for one topic: keeps requests to every broker in flight, one batch per partition in each. */
import { initProducerIdV3 } from '@platformatic/kafka'
import type { Clock } from '../../../core/clock.ts'
import { BridgeError } from '../../../core/errors.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { answerError, codeName, translate } from '../errors.ts'
import { type Answer, type Dispatch, type Outcome, PartitionLog } from './partition-log.ts'
import { stampBatch } from '../protocol/record-batch.ts'
import { produceApi } from '../protocol/wire.ts'

/** Failures the broker gets over by itself (a new leader) take seconds; what lasts longer is for the engine to report. */
const giveUpAfter = 10_000
const retryDelay = 200
/** Several partitions' batches share a request up to this, well below what brokers accept (100 MiB). */
const maxBytesPerRequest = 4 * 1024 * 1024
/** New partitions of the topic are used after this at the latest, as in the Java client. */
const metadataAge = 300_000

export interface ProducerOptions {
  readonly cluster: Cluster
  readonly topic: string
  readonly clock: Clock
  /** Milliseconds the broker waits for its in-sync replicas. */
  readonly timeout: number
  /** The broker slows this client down. */
  readonly throttled: () => void
}

interface Sending extends Dispatch {
  readonly partition: number
}

export class Producer implements AsyncDisposable {
  readonly #options: ProducerOptions
  readonly #what: string
  readonly #closing = new AbortController()
  readonly #logs = new Map<number, PartitionLog>()
  readonly #waiting = new Set<number>()
  #producer = { id: -1n, epoch: 0 }
  #scheduled = false
  #recovery: Promise<void> | undefined
  #refreshed = 0

  constructor(options: ProducerOptions) {
    this.#options = options
    this.#what = `writing to topic "${options.topic}"`
  }

  /** Partitions of the topic as last heard. */
  get partitions(): number {
    const { clock, cluster, topic } = this.#options
    const known = cluster.topic(topic)?.partitions.length ?? 0
    if (clock.monotonic() - this.#refreshed > (known > 0 ? metadataAge : retryDelay)) {
      this.#refreshed = clock.monotonic()
      void this.#refresh().catch(() => undefined)
    }
    return known
  }

  /** Why there are no partitions. */
  get missing(): BridgeError {
    const { cluster, topic } = this.#options
    return answerError(cluster.failure(topic) ?? 'LEADER_NOT_AVAILABLE', this.#what)
  }

  /** Checks the topic and asks for a producer id. Rejects with a BridgeError. */
  async open(): Promise<void> {
    await this.#refresh()
    await this.#newProducerId()
  }

  async #refresh(): Promise<void> {
    const { cluster, topic, clock } = this.#options
    const { failures } = await cluster.metadata([topic])
    this.#refreshed = clock.monotonic()
    const failure = failures.get(topic)
    if (failure !== undefined) throw answerError(failure, this.#what)
  }

  async #newProducerId(): Promise<void> {
    const { cluster, topic } = this.#options
    const leader = cluster.topic(topic)?.partitions.find((place) => place.leader >= 0)?.leader ?? -1
    try {
      const to = { broker: cluster.broker(leader), lane: 'control' } as const
      const { producerId, producerEpoch } = await cluster.send(to, initProducerIdV3.api, null, 60_000)
      this.#producer = { id: producerId, epoch: producerEpoch }
    } catch (thrown) {
      throw translate(thrown, this.#what)
    }
  }

  /** Adds a batch behind the others of its partition. Never rejects. */
  send(partition: number, bytes: Buffer, count: number): Promise<Outcome> {
    return new Promise((settle) => {
      let log = this.#logs.get(partition)
      if (log === undefined) {
        log = new PartitionLog(this.#producer.id, this.#producer.epoch)
        this.#logs.set(partition, log)
      }
      log.add({ bytes, count, settle })
      this.#wake(partition)
    })
  }

  /** Batches that come in the same turn of the event loop share requests. */
  #wake(partition: number): void {
    this.#waiting.add(partition)
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    const { cluster, topic, clock } = this.#options
    const byLeader = new Map<number, Sending[]>()
    for (const partition of this.#waiting) {
      const log = this.#logs.get(partition)
      if (log === undefined) continue
      const leader = cluster.place(topic, partition)?.leader ?? -1
      const sendings = byLeader.get(leader) ?? []
      byLeader.set(leader, sendings)
      for (const dispatch of log.take(() => clock.monotonic())) {
        const { bytes, epoch, sequence } = dispatch
        stampBatch(bytes, { producerId: log.producerId, epoch, sequence })
        sendings.push({ ...dispatch, partition })
      }
    }
    this.#waiting.clear()
    for (const [leader, sendings] of byLeader)
      for (const request of requests(sendings)) void this.#request(leader, request)
  }

  async #request(leader: number, sendings: readonly Sending[]): Promise<void> {
    const { cluster, topic, timeout } = this.#options
    const batches = sendings.map(({ partition, bytes }) => ({ topic, partition, batch: bytes }))
    let answers: (sending: Sending) => Answer
    try {
      const to = { broker: cluster.broker(leader), lane: 'produce' } as const
      const produced = await cluster.send(to, produceApi, timeout, batches)
      if (produced.throttled > 0) this.#options.throttled()
      const codes = new Map(produced.partitions.map(({ partition, errorCode }) => [partition, errorCode]))
      answers = ({ partition }) => this.#answer(codes.get(partition) ?? -1)
    } catch (thrown) {
      const error = translate(thrown, this.#what)
      answers = () => ({ kind: 'retry', error })
    }
    for (const sending of sendings) {
      const answer = answers(sending)
      sending.answered(answer)
      if (answer.kind === 'retry' || answer.kind === 'sequence-lost') this.#recover(sending.partition, answer.error)
      else this.#wake(sending.partition)
    }
  }

  #answer(code: number): Answer {
    if (code === 0) return { kind: 'stored' }
    const name = codeName(code)
    if (name === 'DUPLICATE_SEQUENCE_NUMBER') return { kind: 'duplicate' }
    const error = answerError(name, this.#what)
    if (lostSequence.has(name)) return { kind: 'sequence-lost', error }
    return error.kind === 'poison' ? { kind: 'rejected', error } : { kind: 'retry', error }
  }

  /** Finds the leaders again and goes on; gives up what fails for too long, or what only a person can mend. */
  #recover(partition: number, error: BridgeError): void {
    const log = this.#logs.get(partition)
    if (log === undefined) return
    const since = log.failedSince
    const tooLong = since !== undefined && this.#options.clock.monotonic() - since > giveUpAfter
    const hopeless = error.kind === 'fatal' && error.reason !== 'TopicNotFound'
    if (tooLong || hopeless || log.exhausted) log.fail(error)
    if (log.exhausted) this.#replace(partition)
    this.#recovery ??= this.#findLeaders().finally(() => {
      this.#recovery = undefined
    })
    void this.#recovery.then(() => this.#wake(partition))
  }

  async #findLeaders(): Promise<void> {
    await this.#options.clock.sleep(retryDelay, this.#closing.signal)
    await this.#refresh().catch(() => undefined)
  }

  #replace(partition: number): void {
    this.#logs.delete(partition)
    void this.#newProducerId().catch(() => undefined)
  }

  /** Fails what is not answered yet. The cluster is closed by its owner. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    const error = new BridgeError(`${this.#what}: closed`, { kind: 'retryable', reason: 'Closed' })
    for (const log of this.#logs.values()) log.fail(error)
    await this.#recovery
  }
}

const lostSequence = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'PRODUCER_FENCED',
])

/** Spreads batches over as few requests as possible: one batch per partition in each, a partition's batches in order. */
function requests(sendings: readonly Sending[]): Sending[][] {
  const made: { sendings: Sending[]; bytes: number }[] = []
  const firstFree = new Map<number, number>()
  for (const sending of sendings) {
    let index = firstFree.get(sending.partition) ?? 0
    while ((made[index]?.bytes ?? 0) + sending.bytes.length > maxBytesPerRequest && made[index] !== undefined) index++
    const request = made[index] ?? { sendings: [], bytes: 0 }
    made[index] = request
    request.sendings.push(sending)
    request.bytes += sending.bytes.length
    firstFree.set(sending.partition, index + 1)
  }
  return made.map((request) => request.sendings)
}
