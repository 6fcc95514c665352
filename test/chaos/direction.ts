/** One direction of a bridge as the chaos tests drive it: independent clients on both ends, the runtime in between. */
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
  PutRecordsCommand,
  type Shard,
} from '@aws-sdk/client-kinesis'
import { type Consumer, Partitioners, type Producer } from 'kafkajs'
import { createTopic, kafkaClient } from '../support/kafka.ts'
import { createStream, kinesisClient, kinesisCredentials, kinesisRegion } from '../support/kinesis.ts'
import type { RuntimeOptions } from '../support/runtime-process.ts'
import { sharedKafka, sharedKinesis, uniqueName } from '../support/shared-servers.ts'
import type { TestRecord, TestRun } from '../support/verifier.ts'

export interface Direction extends AsyncDisposable {
  readonly name: string
  readonly source: RuntimeOptions['bridge']['source']
  readonly sink: RuntimeOptions['bridge']['sink']
  readonly secrets: NonNullable<RuntimeOptions['secrets']>
  /** The Kinesis stream of this direction, to split and merge. */
  readonly stream: string
  send(records: readonly TestRecord[]): Promise<void>
  /** Hands what newly arrived to the checker, each partition in its order. */
  collect(run: TestRun): Promise<void>
}

const auth = {
  accessKeyIdSecretRef: { name: 'aws', key: 'id' },
  secretAccessKeySecretRef: { name: 'aws', key: 'secret' },
}
const secrets = { aws: { id: kinesisCredentials.accessKeyId, secret: kinesisCredentials.secretAccessKey } }

interface Ends {
  readonly topic: string
  readonly stream: string
  readonly bootstrapServers: string
  readonly endpoint: string
}

async function ends(shards: number): Promise<Ends> {
  const bootstrapServers = await sharedKafka()
  const { endpoint } = await sharedKinesis()
  const topic = uniqueName('chaos')
  await createTopic(bootstrapServers, topic, { partitions: 4 })
  await createStream(endpoint, topic, shards)
  return { topic, stream: topic, bootstrapServers, endpoint }
}

export async function kafkaToKinesis(shards = 4): Promise<Direction> {
  const { topic, stream, bootstrapServers, endpoint } = await ends(shards)
  const producer = await openProducer(bootstrapServers)
  const client = kinesisClient(endpoint)
  const collect = kinesisCollector(client, stream)
  return {
    name: 'Kafka → Kinesis',
    source: { kafka: { bootstrapServers: [bootstrapServers], topics: [topic], sessionTimeout: '6s' } },
    sink: { kinesis: { streamName: stream, region: kinesisRegion, endpoint, auth } },
    secrets,
    stream,
    send: (records) => sendToKafka(producer, topic, records),
    collect,
    async [Symbol.asyncDispose]() {
      await producer.disconnect()
      client.destroy()
    },
  }
}

export async function kinesisToKafka(shards = 4): Promise<Direction> {
  const { topic, stream, bootstrapServers, endpoint } = await ends(shards)
  const client = kinesisClient(endpoint)
  const checker = await kafkaCollector(bootstrapServers, topic)
  return {
    name: 'Kinesis → Kafka',
    source: {
      kinesis: {
        streamName: stream,
        region: kinesisRegion,
        endpoint,
        auth,
        polling: { interval: '200ms' },
        leaseDuration: '4s',
        shardSyncInterval: '1s',
      },
    },
    sink: { kafka: { bootstrapServers: [bootstrapServers], topic } },
    secrets,
    stream,
    send: (records) => sendToKinesis(client, stream, records),
    collect: (run) => checker.collect(run),
    async [Symbol.asyncDispose]() {
      await checker.consumer.disconnect()
      client.destroy()
    },
  }
}

async function openProducer(bootstrapServers: string): Promise<Producer> {
  const createPartitioner = Partitioners.DefaultPartitioner
  const producer = kafkaClient(bootstrapServers).producer({
    createPartitioner,
    idempotent: true,
    maxInFlightRequests: 1,
  })
  await producer.connect()
  return producer
}

const sendToKafka = async (producer: Producer, topic: string, records: readonly TestRecord[]): Promise<void> =>
  void (await producer.send({ topic, acks: -1, messages: records.map(({ key, value }) => ({ key, value })) }))

async function sendToKinesis(client: KinesisClient, stream: string, records: readonly TestRecord[]): Promise<void> {
  for (let from = 0; from < records.length; from += 500) {
    const part = records.slice(from, from + 500)
    const Records = part.map(({ key, value }) => ({ PartitionKey: key, Data: value }))
    const answer = await client.send(new PutRecordsCommand({ StreamName: stream, Records }))
    if ((answer.FailedRecordCount ?? 0) > 0) throw new Error('the test endpoint refused records')
  }
}

/** Follows every shard; a child is read when its parents are read to their end. */
function kinesisCollector(client: KinesisClient, stream: string): (run: TestRun) => Promise<void> {
  const iterators = new Map<string, string | undefined>()
  const start = async ({ ShardId }: Shard): Promise<string | undefined> =>
    (await client.send(new GetShardIteratorCommand({ StreamName: stream, ShardId, ShardIteratorType: 'TRIM_HORIZON' })))
      .ShardIterator
  const finished = (shard: string | undefined): boolean =>
    shard === undefined || (iterators.has(shard) && iterators.get(shard) === undefined)
  const readOn = async (shard: string, run: TestRun): Promise<void> => {
    for (let more = true; more; ) {
      const iterator = iterators.get(shard)
      if (iterator === undefined) return
      const page = await client.send(new GetRecordsCommand({ ShardIterator: iterator }))
      for (const { PartitionKey, Data } of page.Records ?? [])
        run.arrived(PartitionKey ?? null, Data === undefined ? null : Buffer.from(Data))
      iterators.set(shard, page.NextShardIterator)
      more = (page.Records?.length ?? 0) > 0 || page.NextShardIterator === undefined
    }
  }
  return async (run) => {
    const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName: stream }))
    for (const shard of Shards) {
      const id = shard.ShardId ?? ''
      if (!finished(shard.ParentShardId) || !finished(shard.AdjacentParentShardId)) continue
      if (!iterators.has(id)) iterators.set(id, await start(shard))
      await readOn(id, run)
    }
  }
}

interface KafkaCollector {
  readonly consumer: Consumer
  collect(run: TestRun): Promise<void>
}

async function kafkaCollector(bootstrapServers: string, topic: string): Promise<KafkaCollector> {
  const consumer = kafkaClient(bootstrapServers).consumer({ groupId: uniqueName('checker'), maxWaitTimeInMs: 200 })
  const arrived: { readonly key: string | null; readonly value: Buffer | null }[] = []
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    eachBatch: ({ batch }) => {
      for (const { key, value } of batch.messages) arrived.push({ key: key?.toString() ?? null, value })
      return Promise.resolve()
    },
  })
  return {
    consumer,
    collect(run) {
      for (const { key, value } of arrived.splice(0)) run.arrived(key, value)
      return Promise.resolve()
    },
  }
}
