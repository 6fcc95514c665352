/** Writes topics over one connection: the one that is named, or one for each source stream. */
import { milliseconds } from '../../../crds/kit/units.ts'
import type { Sink, SinkBatch, SinkLimits, WriteResult } from '../../core/contracts.ts'
import { BridgeError } from '../../core/errors.ts'
import type { ConnectorContext } from '../define-connector.ts'
import { targetOf } from '../../../crds/kit/target-names.ts'
import { BatchMemory } from './protocol/batch-memory.ts'
import { Cluster } from './cluster/cluster.ts'
import { connectionOptions } from './cluster/connection.ts'
import type { KafkaSinkConfig } from './schema.ts'
import { type Sizes, sizesBefore, TopicWriter } from './write/topic-writer.ts'

/** Loads nothing and connects nowhere: `open` does. */
export const openKafkaSink = async (config: KafkaSinkConfig, context: ConnectorContext): Promise<Sink> =>
  new KafkaSink(config, context)

/** Large batches whose memory is kept for the next ones: about as many as are on their way at full speed. */
const keptBatches = 8
/** About what a batch and the source id add to a record. */
const wrapping = 300

class KafkaSink implements Sink {
  readonly #config: KafkaSinkConfig
  readonly #context: ConnectorContext
  readonly #memory: BatchMemory
  /** By topic. One that could not be opened is not kept: it is tried again with the next write. */
  readonly #writers = new Map<string, Promise<TopicWriter>>()
  #cluster: Cluster | undefined
  #sizes: Sizes

  constructor(config: KafkaSinkConfig, context: ConnectorContext) {
    this.#config = config
    this.#context = context
    this.#sizes = sizesBefore(config)
    this.#memory = new BatchMemory(this.#sizes.batchBytes, keptBatches)
  }

  get limits(): SinkLimits {
    const { maxBytes, batchBytes } = this.#sizes
    return {
      maxRecords: 10_000,
      // A tenth is kept for what a batch adds to keys, values and headers; smaller records are cut again in `write`.
      maxBytes: Math.ceil(batchBytes * 0.9),
      // Each topic has its own.
      ...(this.#config.topic !== undefined && { largestRecord: maxBytes - wrapping }),
    }
  }

  async open(): Promise<void> {
    await this.#close()
    const { bridge } = this.#context
    const cluster = new Cluster({
      clientId: `streambridge.${bridge.namespace}.${bridge.name}`,
      bootstrapServers: this.#config.bootstrapServers,
      connection: await connectionOptions(this.#config, this.#context),
      timeouts: { produce: milliseconds(this.#config.requestTimeout) },
    })
    this.#cluster = cluster
    const { topic } = this.#config
    try {
      if (topic === undefined) await cluster.metadata([])
      else this.#sizes = (await this.#writer(topic)).sizes
    } catch (thrown) {
      await this.#close()
      throw thrown
    }
  }

  async write(batch: SinkBatch, signal: AbortSignal): Promise<WriteResult> {
    const { topic, topicFrom } = this.#config
    const writer = await this.#writer(topic ?? targetOf(topicFrom, batch.stream))
    return writer.write(batch, signal)
  }

  #writer(topic: string): Promise<TopicWriter> {
    const known = this.#writers.get(topic)
    if (known !== undefined) return known
    const cluster = this.#cluster
    if (cluster === undefined)
      return Promise.reject(new BridgeError('the sink is not open', { kind: 'retryable', reason: 'NotOpen' }))
    const options = { topic, cluster, config: this.#config, context: this.#context, memory: this.#memory }
    const opening = TopicWriter.open(options)
    this.#writers.set(topic, opening)
    opening.catch(() => this.#writers.delete(topic))
    return opening
  }

  async #close(): Promise<void> {
    const cluster = this.#cluster
    this.#cluster = undefined
    const writers = await Promise.allSettled(this.#writers.values())
    this.#writers.clear()
    for (const writer of writers) if (writer.status === 'fulfilled') await writer.value[Symbol.asyncDispose]()
    await cluster?.[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
  }
}
