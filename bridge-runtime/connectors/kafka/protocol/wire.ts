/**
 * Fetch and Produce with whole record batches as bytes: the client's own calls decode and encode every record. The
 * versions are the ones that everything from Kafka 2.3 to 4.x and the compatible servers speak.
 */
import { createAPI, type Reader, Writer } from '@platformatic/kafka'

export interface FetchPartition {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly leaderEpoch: number
  readonly maxBytes: number
}

export interface FetchRequest {
  /** Milliseconds the broker may wait for the first byte. */
  readonly maxWait: number
  readonly maxBytes: number
  /** 1: only records of committed transactions. */
  readonly isolation: 0 | 1
  readonly partitions: readonly FetchPartition[]
}

export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: number
}

export interface FetchedPartition {
  readonly topic: string
  readonly partition: number
  readonly errorCode: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly aborted: readonly AbortedTransaction[]
  /** Record batches one behind another; the last may be cut. A copy of its own, so it holds nothing else in memory. */
  readonly batches: Buffer
}

export interface FetchAnswer {
  /** Milliseconds that the broker held this client up for its quota. */
  readonly throttled: number
  readonly errorCode: number
  readonly partitions: readonly FetchedPartition[]
}

function byTopic<T extends { readonly topic: string }>(items: readonly T[]): [string, T[]][] {
  return [...Map.groupBy(items, ({ topic }) => topic)]
}

function fetchRequest({ maxWait, maxBytes, isolation, partitions }: FetchRequest): Writer {
  return Writer.create()
    .appendInt32(-1) // a consumer, no replica
    .appendInt32(maxWait)
    .appendInt32(1)
    .appendInt32(maxBytes)
    .appendInt8(isolation)
    .appendInt32(0) // no fetch session
    .appendInt32(-1)
    .appendArray(
      byTopic(partitions),
      (writer, [topic, ofTopic]) => {
        writer.appendString(topic, false).appendArray(
          ofTopic,
          (inner, { partition, leaderEpoch, offset, maxBytes }) => {
            inner
              .appendInt32(partition)
              .appendInt32(leaderEpoch)
              .appendInt64(BigInt(offset))
              .appendInt64(-1n)
              .appendInt32(maxBytes)
          },
          false,
          false,
        )
      },
      false,
      false,
    )
    .appendInt32(0) // nothing forgotten
    .appendString('', false)
}

function fetchAnswer(_correlation: number, _api: number, _version: number, reader: Reader): FetchAnswer {
  const throttled = reader.readInt32()
  const errorCode = reader.readInt16()
  reader.readInt32()
  const topics = reader.readArray(
    () => {
      const topic = reader.readString(false)
      return reader.readArray(() => fetchedPartition(topic, reader), false, false)
    },
    false,
    false,
  )
  return { throttled, errorCode, partitions: topics.flat() }
}

function fetchedPartition(topic: string, reader: Reader): FetchedPartition {
  const partition = reader.readInt32()
  const errorCode = reader.readInt16()
  const highWatermark = Number(reader.readInt64())
  const lastStableOffset = Number(reader.readInt64())
  const logStartOffset = Number(reader.readInt64())
  const aborted = reader.readNullableArray(
    () => ({ producerId: reader.readInt64(), firstOffset: Number(reader.readInt64()) }),
    false,
    false,
  )
  reader.readInt32() // preferred read replica
  const length = reader.readInt32()
  const batches = length > 0 ? reader.buffer.slice(reader.position, reader.position + length) : Buffer.alloc(0)
  if (length > 0) reader.position += length
  return {
    topic,
    partition,
    errorCode,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    aborted: aborted ?? [],
    batches,
  }
}

export const fetchApi = createAPI<[FetchRequest], FetchAnswer>(1, 11, fetchRequest, fetchAnswer, false, false)

export interface ProducePartition {
  readonly topic: string
  readonly partition: number
  /** Exactly one record batch. */
  readonly batch: Buffer
}

export interface ProducedPartition {
  readonly partition: number
  readonly errorCode: number
}

export interface ProduceAnswer {
  /** As in FetchAnswer. */
  readonly throttled: number
  readonly partitions: readonly ProducedPartition[]
}

/** `timeout`: milliseconds the broker waits for the in-sync replicas. */
function produceRequest(timeout: number, partitions: readonly ProducePartition[]): Writer {
  return Writer.create()
    .appendString(null, false)
    .appendInt16(-1) // all in-sync replicas
    .appendInt32(timeout)
    .appendArray(
      byTopic(partitions),
      (writer, [topic, ofTopic]) => {
        writer.appendString(topic, false).appendArray(
          ofTopic,
          (inner, { partition, batch }) => {
            inner.appendInt32(partition).appendBytes(batch, false)
          },
          false,
          false,
        )
      },
      false,
      false,
    )
}

function produceAnswer(_correlation: number, _api: number, _version: number, reader: Reader): ProduceAnswer {
  const topics = reader.readArray(
    () => {
      reader.readString(false)
      return reader.readArray(
        () => {
          const produced = { partition: reader.readInt32(), errorCode: reader.readInt16() }
          reader.skip(24) // base offset, append time, log start
          return produced
        },
        false,
        false,
      )
    },
    false,
    false,
  )
  return { throttled: reader.readInt32(), partitions: topics.flat() }
}

export const produceApi = createAPI<[number, readonly ProducePartition[]], ProduceAnswer>(
  0,
  7,
  produceRequest,
  produceAnswer,
  false,
  false,
)
