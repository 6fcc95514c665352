import { bytes } from '../../../crds/schema/common.ts'
import type { Sink, SinkBatch, Stored, WriteResult } from '../../core/contracts.ts'
import { heldBack } from '../../core/delivery.ts'
import { asBridgeError, BridgeError } from '../../core/errors.ts'
import type { ConnectorContext } from '../define-connector.ts'
import { type Connection, connect, type PubsubMessage } from './connection.ts'
import type { Doing } from './errors.ts'
import { messageOf, orderingKeyOf } from './message.ts'
import { type Parcel, Publishing } from './publishing.ts'
import type { PubsubSinkConfig } from './schema.ts'

/** Opens a topic for writing. The connection is made by `open` of the sink. */
export const openPubsubSink = async (config: PubsubSinkConfig, context: ConnectorContext): Promise<Sink> =>
  pubsubSink(() => connect('PublisherClient', config, context), config, context)

const aborted = new BridgeError('the write was given up; it is not known which records were stored', {
  kind: 'retryable',
  reason: 'Aborted',
})

export function pubsubSink(
  connecting: () => Promise<Connection>,
  { projectID, topic: id, orderingKey, limits }: PubsubSinkConfig,
  { log }: Pick<ConnectorContext, 'log'>,
): Sink {
  const topic = `projects/${projectID}/topics/${id}`
  const target = `topic ${topic}`
  const maxBytes = bytes(limits.maxRequestBytes)
  const publish: Doing = { permission: 'pubsub.topics.publish', role: 'roles/pubsub.publisher', target }
  const look: Doing = { permission: 'pubsub.topics.get', role: 'roles/pubsub.viewer', target }
  let connection: Connection | undefined
  const publishing = new Publishing({
    async publish(messages) {
      if (connection === undefined) throw new TypeError('the sink is not open')
      await connection.call('publish', { topic, messages }, publish)
    },
    maxMessages: limits.maxMessages,
    maxBytes,
    maxRequests: limits.maxRequests,
  })

  return {
    limits: { maxRecords: limits.maxMessages, maxBytes },
    async open(signal) {
      connection ??= await connecting()
      try {
        await connection.call('getTopic', { topic }, look, { signal })
      } catch (thrown) {
        const error = asBridgeError(thrown)
        if (error.reason !== 'AccessDenied') throw error
        // One who may publish need not be allowed to look.
        log.info(`${target} cannot be looked at (${error.message}); the first write will show whether it exists`)
      }
    },
    write: (batch, signal, stored) =>
      new Promise((resolve) => {
        const write = new Write(batch, { keyed: orderingKey === 'FromSourceKey', stored, resolve })
        write.begin(publishing, signal)
      }),
    async [Symbol.asyncDispose]() {
      connection?.close()
    },
  }
}

interface WriteOptions {
  readonly keyed: boolean
  readonly stored: Stored | undefined
  resolve(result: WriteResult): void
}

/** One write on its way: what became of its records so far. */
class Write {
  readonly #batch: SinkBatch
  readonly #options: WriteOptions
  readonly #failures = new Map<number, BridgeError>()
  readonly #settled: Uint8Array
  #open: number
  #signal: AbortSignal | undefined

  constructor(batch: SinkBatch, options: WriteOptions) {
    this.#batch = batch
    this.#options = options
    this.#open = batch.count
    this.#settled = new Uint8Array(batch.count)
  }

  begin(publishing: Publishing, signal: AbortSignal): void {
    if (signal.aborted) return this.#abandon()
    this.#signal = signal
    signal.addEventListener('abort', this.#abandon, { once: true })
    for (const parcel of this.#parcels()) publishing.add(parcel)
  }

  readonly #abandon = (): void => {
    for (let index = 0; this.#open > 0 && index < this.#settled.length; index += 1) this.#settle(index, aborted)
  }

  #settle(index: number, failure: BridgeError | undefined): void {
    if (this.#settled[index] !== 0) return
    this.#settled[index] = 1
    if (failure !== undefined) this.#failures.set(index, failure)
    this.#open -= 1
    if (this.#open > 0) return
    this.#signal?.removeEventListener('abort', this.#abandon)
    this.#options.resolve(this.#failures)
  }

  /** What one request stored is reported together; what is stored last, the result tells. */
  #done(indexes: readonly number[], failure: BridgeError | undefined): void {
    const open = indexes.filter((index) => this.#settled[index] === 0)
    for (const index of open) this.#settle(index, failure)
    if (failure === undefined && open.length > 0 && this.#open > 0) this.#options.stored?.(open)
  }

  /** One parcel per ordering key. What the service would refuse is settled here. */
  #parcels(): Iterable<Parcel> {
    const parcels = new Map<string, { messages: PubsubMessage[]; sizes: number[]; indexes: number[] } & Parcel>()
    const refused = new Set<string>()
    for (const [index, record] of this.#batch.records().entries()) {
      const key = this.#options.keyed ? orderingKeyOf(record.key) : ''
      const outgoing = messageOf(record, this.#batch.origin, key)
      const failure = outgoing instanceof BridgeError ? outgoing : refused.has(key) ? heldBack : undefined
      if (failure !== undefined || outgoing instanceof BridgeError) {
        // What follows a refused record of its key is held back as well: the refused one may yet be dead-lettered first.
        if (key !== '') refused.add(key)
        this.#settle(index, failure)
        continue
      }
      const parcel = parcels.get(key) ?? this.#parcel(key)
      if (parcel.messages.length === 0) parcels.set(key, parcel)
      parcel.messages.push(outgoing.message)
      parcel.sizes.push(outgoing.bytes)
      parcel.indexes.push(index)
    }
    return parcels.values()
  }

  #parcel(key: string): { messages: PubsubMessage[]; sizes: number[]; indexes: number[] } & Parcel {
    const indexes: number[] = []
    return {
      key,
      messages: [],
      sizes: [],
      indexes,
      done: (from, to, failure) => this.#done(indexes.slice(from, to), failure),
      abandoned: () => this.#open === 0,
    }
  }
}
