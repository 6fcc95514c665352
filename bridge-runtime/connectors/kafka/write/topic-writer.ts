/** Writes records to one topic, over a connection that others share. */
import { bytes, milliseconds } from '../../../../crds/kit/units.ts'
import type { BridgeRecord, SinkBatch, WriteResult } from '../../../core/contracts.ts'
import { heldBack } from '../../../core/delivery/held-back.ts'
import { BridgeError } from '../../../core/errors.ts'
import type { ConnectorContext } from '../../define-connector.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { defaultLimit, largestBatch } from '../cluster/topic-limit.ts'
import type { BatchMemory } from '../protocol/batch-memory.ts'
import type { Compression } from '../protocol/compression.ts'
import { encodeBatch, recordBound, sourcePrefix } from '../protocol/record-encoder.ts'
import type { KafkaSinkConfig } from '../schema.ts'
import type { Outcome } from './partition-log.ts'
import { partitionOfKey, partitionOfSource } from './partitioner.ts'
import { Producer } from './producer.ts'

/** Bytes of a batch of many records: larger ones are no faster. A single record may take more, as the topic allows. */
export const batchBytes = 1_000_000

export interface TopicWriterOptions {
  readonly topic: string
  readonly cluster: Cluster
  readonly config: KafkaSinkConfig
  readonly context: ConnectorContext
  readonly memory: BatchMemory
}

export class TopicWriter implements AsyncDisposable {
  readonly #options: TopicWriterOptions
  readonly #producer: Producer
  readonly #sizes: Sizes
  #sticky = 0

  private constructor(options: TopicWriterOptions, producer: Producer, sizes: Sizes) {
    this.#options = options
    this.#producer = producer
    this.#sizes = sizes
  }

  /** Checks that the topic is there, and asks what it takes. Rejects with a BridgeError. */
  static async open(options: TopicWriterOptions): Promise<TopicWriter> {
    const { topic, cluster, config, context } = options
    const { clock, throttled } = context
    const timeout = milliseconds(config.requestTimeout)
    const producer = new Producer({ cluster, topic, clock, timeout, throttled })
    try {
      await producer.open()
      return new TopicWriter(options, producer, await sizesOf(options))
    } catch (thrown) {
      await producer[Symbol.asyncDispose]()
      throw thrown
    }
  }

  get sizes(): Sizes {
    return this.#sizes
  }

  async write(batch: SinkBatch, signal: AbortSignal): Promise<WriteResult> {
    const { topic, config, context, memory } = this.#options
    const records = batch.records()
    const write: Write = {
      producer: this.#producer,
      topic,
      config,
      field: context.field,
      ...this.#sizes,
      memory,
      origin: batch.origin,
      prefix: sourcePrefix(batch.origin),
      records,
      failures: new Map(),
      poisonedKeys: new Set(),
      signal,
    }
    const byPartition = this.#route(batch, records)
    const parts = await Promise.allSettled(
      [...byPartition].map(([partition, indexes]) => writePartition(write, partition, indexes)),
    )
    // Not before all have ended: what one still sends would come between what the engine sends again.
    for (const part of parts) if (part.status === 'rejected') throw part.reason
    return write.failures
  }

  #route(batch: SinkBatch, records: readonly BridgeRecord[]): Map<number, number[]> {
    const count = this.#producer.partitions
    if (count === 0) throw this.#producer.missing
    const whole =
      this.#options.config.partitioning === 'SourcePartition' ? partitionOfSource(batch.partition, count) : undefined
    // Records without a key fill one partition per write, so that batches stay large.
    const sticky = this.#sticky++ % count
    const byPartition = new Map<number, number[]>()
    for (const [index, { key }] of records.entries()) {
      const partition = whole ?? (key === null ? sticky : partitionOfKey(key, count))
      const indexes = byPartition.get(partition)
      if (indexes === undefined) byPartition.set(partition, [index])
      else indexes.push(index)
    }
    return byPartition
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#producer[Symbol.asyncDispose]()
  }
}

export interface Sizes {
  /** Of the largest batch that may be sent, and of one of several records. */
  readonly maxBytes: number
  readonly batchBytes: number
}

/** Before a topic is asked, and where nobody asks it. */
export function sizesBefore({ maxRequestBytes }: KafkaSinkConfig): Sizes {
  if (maxRequestBytes === undefined) return { maxBytes: defaultLimit, batchBytes }
  return { maxBytes: bytes(maxRequestBytes), batchBytes: bytes(maxRequestBytes) }
}

async function sizesOf({ topic, cluster, config }: TopicWriterOptions): Promise<Sizes> {
  if (config.maxRequestBytes !== undefined) return sizesBefore(config)
  const maxBytes = await largestBatch(cluster, topic)
  return { maxBytes, batchBytes: Math.min(batchBytes, maxBytes) }
}

const stopped = (message: string): BridgeError => new BridgeError(message, { kind: 'retryable', reason: 'NotOpen' })

/** What all parts of one `write` share. */
interface Write {
  readonly producer: Producer
  readonly topic: string
  readonly config: KafkaSinkConfig
  /** The sink's path in the manifest. */
  readonly field: string
  /** Of the largest batch that may be sent, and of one of several records. */
  readonly maxBytes: number
  readonly batchBytes: number
  readonly memory: BatchMemory
  readonly origin: string
  readonly prefix: Buffer
  readonly records: readonly BridgeRecord[]
  readonly failures: Map<number, BridgeError>
  /** Keys of records that can never be written: what comes behind one with the same key waits for the engine's verdict. */
  readonly poisonedKeys: Set<string | undefined>
  readonly signal: AbortSignal
}

/** Writes records of one partition in order: a batch is sent when the one before it is stored. */
async function writePartition(write: Write, partition: number, indexes: readonly number[]): Promise<void> {
  const chunks = cut(write, indexes)
  while (chunks.length > 0) {
    const chunk = sendable(write, chunks.shift() ?? [])
    if (chunk.length === 0) continue
    const error = await deliver(write, partition, chunk)
    if (error === undefined) continue
    if (error.kind === 'poison' && chunk.length > 1) {
      // One of them is at fault: halves until it stands alone.
      const middle = chunk.length >> 1
      chunks.unshift(chunk.slice(0, middle), chunk.slice(middle))
    } else if (error.kind === 'poison') poisoned(write, chunk, error)
    else return failed(write, [chunk, ...chunks].flat(), error)
  }
}

/** Sends one batch. Resolves with the error that the batch as a whole met. */
async function deliver(write: Write, partition: number, chunk: readonly number[]): Promise<BridgeError | undefined> {
  const { compression } = write.config
  const error = await deliverAs(write, partition, { chunk, compression })
  // A single record that is too large as it is may fit when it is compressed, and every client can read it.
  const last = error?.reason === 'RecordTooLarge' && chunk.length === 1 && compression === 'None'
  return last ? deliverAs(write, partition, { chunk, compression: 'Gzip' }) : error
}

interface Attempt {
  readonly chunk: readonly number[]
  readonly compression: Compression
}

async function deliverAs(
  write: Write,
  partition: number,
  { chunk, compression }: Attempt,
): Promise<BridgeError | undefined> {
  const records = chunk.flatMap((index) => write.records[index] ?? [])
  const batch = await encodeBatch(records, write.prefix, compression, write.memory)
  if (batch.length > write.maxBytes) return tooLarge(write, batch.length, records[0])
  if (write.signal.aborted) return stopped('writing was stopped')
  const outcome = await untilAborted(write.producer.send(partition, batch, chunk.length), write.signal)
  if (outcome.kind === 'stored') {
    // Only now: what failed, or was given up, may be on its way still.
    write.memory.give(batch)
    return undefined
  }
  if (outcome.error.reason === 'RecordTooLarge') return tooLarge(write, batch.length, records[0])
  return outcome.error
}

/** As many records per batch as surely fit. */
function cut({ records, batchBytes: most, prefix }: Write, indexes: readonly number[]): number[][] {
  const chunks: number[][] = []
  let size = Number.POSITIVE_INFINITY
  let chunk: number[] = []
  for (const index of indexes) {
    const record = records[index]
    const bound = record === undefined ? 0 : recordBound(record, prefix)
    if (size + bound > most) {
      chunk = []
      chunks.push(chunk)
      size = 100 // more than the batch's own header
    }
    chunk.push(index)
    size += bound
  }
  return chunks
}

/** Leaves out, as failed, what stands behind a poisoned record of its key. */
function sendable(write: Write, chunk: readonly number[]): readonly number[] {
  if (write.poisonedKeys.size === 0) return chunk
  const waiting = chunk.filter((index) => write.poisonedKeys.has(keyOf(write, index)))
  failed(write, waiting, heldBack)
  return chunk.filter((index) => !write.failures.has(index))
}

function poisoned(write: Write, chunk: readonly number[], error: BridgeError): void {
  failed(write, chunk, error)
  for (const index of chunk) write.poisonedKeys.add(keyOf(write, index))
  write.poisonedKeys.delete(undefined)
}

function failed(write: Write, indexes: readonly number[], error: BridgeError): void {
  for (const index of indexes) write.failures.set(index, error)
}

/** Undefined for a record without a key: it has no order to keep. */
const keyOf = ({ records }: Write, index: number): string | undefined => records[index]?.key?.toString('latin1')

/** `size`: of a batch with this record alone, compressed where that is smaller. */
function tooLarge(write: Write, size: number, record: BridgeRecord | undefined): BridgeError {
  const { config, topic, field, origin, maxBytes } = write
  const ours = config.maxRequestBytes !== undefined && size > maxBytes
  const limit = ours
    ? `${field}.maxRequestBytes is ${maxBytes}`
    : `topic "${topic}" accepts ${size > maxBytes ? maxBytes : 'less'}`
  const advice = ours ? `raise it, and max.message.bytes of topic "${topic}"` : 'raise its max.message.bytes'
  return new BridgeError(`record ${origin}/${record?.position}: takes ${size} bytes, ${limit}: ${advice}`, {
    kind: 'poison',
    reason: 'RecordTooLarge',
  })
}

/** An aborted write does not wait for its answer: what it wrote may be stored or not, so it counts as failed. */
function untilAborted(outcome: Promise<Outcome>, signal: AbortSignal): Promise<Outcome> {
  return new Promise((resolve) => {
    const abort = (): void => resolve({ kind: 'failed', error: stopped('writing was stopped') })
    signal.addEventListener('abort', abort, { once: true })
    void outcome.then((settled) => {
      signal.removeEventListener('abort', abort)
      resolve(settled)
    })
  })
}
