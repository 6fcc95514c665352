/** Independent clients on both sides of a bridge: kafkajs for Kafka, the vendors' SDKs for the others. */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
  PutRecordsCommand,
} from '@aws-sdk/client-kinesis'
import type { StreamClient } from '../support/ends/end.ts'
import { kafkaClient } from '../support/kafka.ts'
import { kinesisClient } from '../support/kinesis.ts'
import type { TestRecord, TestRun } from '../support/verifier.ts'

export interface Pace {
  readonly records: number
  /** Records per second. */
  readonly rate: () => number
}

export type Send = (records: readonly TestRecord[]) => Promise<void>

/** Sends the run's records, ten portions a second, each acknowledged before the next. */
export async function produce(run: TestRun, { records, rate }: Pace, send: Send): Promise<void> {
  for (let next = performance.now(); run.sent < records; next = Math.max(next + 100, performance.now() - 1_000)) {
    await sleep(Math.max(0, next - performance.now()))
    await send(run.take(Math.min(records - run.sent, Math.ceil(rate() / 10))))
  }
}

/** A kafkajs producer of one topic. Records of a key go to one partition, in order. */
export async function kafkaSender(brokers: string, topic: string): Promise<{ send: Send; close(): Promise<void> }> {
  const producer = kafkaClient(brokers).producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  return {
    send: async (records) => {
      const messages = records.map(({ key, value }) => ({ key, value }))
      await producer.send({ topic, acks: -1, messages })
    },
    close: () => producer.disconnect(),
  }
}

/** Puts records on a stream. A request holds a key once, so that a partial failure cannot reorder. */
export function kinesisSender(endpoint: string, stream: string): { send: Send; close(): Promise<void> } {
  const client = kinesisClient(endpoint)
  return {
    async send(records) {
      let left = [...records]
      while (left.length > 0) {
        const keys = new Set<string>()
        const request = left.filter(({ key }) => !keys.has(key) && keys.add(key)).slice(0, 500)
        const stored = new Set(await put(client, stream, request))
        left = left.filter((record) => !stored.has(record))
      }
    },
    async close() {
      client.destroy()
    },
  }
}

async function put(client: KinesisClient, stream: string, records: readonly TestRecord[]): Promise<TestRecord[]> {
  const answer = await client.send(
    new PutRecordsCommand({
      StreamName: stream,
      Records: records.map(({ key, value }) => ({ PartitionKey: key, Data: value })),
    }),
  )
  return records.filter((_record, index) => answer.Records?.[index]?.SequenceNumber !== undefined)
}

/** Hands everything in a topic to the run, from the beginning, until the signal aborts. */
export async function readKafka(brokers: string, topic: string, run: TestRun, signal: AbortSignal): Promise<void> {
  const consumer = kafkaClient(brokers).consumer({ groupId: `verifier-${topic}-${process.pid}` })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    eachBatch: async ({ batch }) => {
      for (const { key, value } of batch.messages) run.arrived(key?.toString() ?? null, value)
    },
  })
  await sleep(2 ** 30, undefined, { signal }).catch(() => undefined)
  await consumer.disconnect()
}

/** Hands everything in a stream to the run, shard by shard from the beginning, until the signal aborts. */
export async function readKinesis(endpoint: string, stream: string, run: TestRun, signal: AbortSignal): Promise<void> {
  const client = kinesisClient(endpoint)
  const { Shards: shards = [] } = await client.send(new ListShardsCommand({ StreamName: stream }))
  await Promise.all(
    shards.map(async ({ ShardId }) => {
      let iterator = (
        await client.send(
          new GetShardIteratorCommand({ StreamName: stream, ShardId, ShardIteratorType: 'TRIM_HORIZON' }),
        )
      ).ShardIterator
      while (iterator !== undefined && !signal.aborted) {
        const page = await client.send(new GetRecordsCommand({ ShardIterator: iterator, Limit: 5_000 }))
        for (const { PartitionKey = null, Data } of page.Records ?? [])
          run.arrived(PartitionKey, Data === undefined ? null : Buffer.from(Data))
        iterator = page.NextShardIterator
        if ((page.Records ?? []).length === 0) await sleep(250)
      }
    }),
  )
  client.destroy()
}

/** Sends with one client and reads with the other. */
export const between = ({ from, to }: { from: StreamClient; to: StreamClient }, run: TestRun) => ({
  send: from.send,
  async read(signal: AbortSignal) {
    while (!signal.aborted) {
      await to.collect(run)
      await sleep(100)
    }
  },
  async close() {
    await Promise.all([from.close(), to.close()])
  },
})
