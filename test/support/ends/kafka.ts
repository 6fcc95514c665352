import { type Consumer, Partitioners, type Producer } from 'kafkajs'
import { createTopic, kafkaClient } from '../kafka.ts'
import { sharedKafka, uniqueName } from '../shared-servers.ts'
import type { TestRecord, TestRun } from '../verifier.ts'
import { type End, lazily, markHeader, parts } from './end.ts'

/** A topic of the shared broker. */
export const kafkaEnd = async (partitions = 4): Promise<End> => kafkaEndOf(await sharedKafka(), partitions)

/** A topic, with kafkajs as the client. */
export async function kafkaEndOf(bootstrapServers: string, partitions: number): Promise<End> {
  const topic = uniqueName('end')
  const groupId = `bridge-of-${topic}`
  await createTopic(bootstrapServers, topic, { partitions })
  const source = { bootstrapServers: [bootstrapServers], topics: [topic], consumerGroup: groupId }
  const producer = lazily(
    () => openProducer(bootstrapServers),
    (made) => made.disconnect(),
  )
  const collector = lazily(
    () => openCollector(bootstrapServers, topic),
    ({ consumer }) => consumer.disconnect(),
  )
  return {
    broker: 'Kafka',
    stream: topic,
    source: { kafka: source },
    hastySource: { kafka: { ...source, sessionTimeout: '6s' } },
    sink: { kafka: { bootstrapServers: [bootstrapServers], topic } },
    secrets: {},
    patience: 6_000,
    headers: true,
    send: async (records) => sendToKafka(await producer.get(), topic, records),
    checkpoints: () => committed(bootstrapServers, groupId, topic),
    collect: async (run) => (await collector.get()).collect(run),
    async [Symbol.asyncDispose]() {
      await producer.close()
      await collector.close()
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

async function committed(bootstrapServers: string, groupId: string, topic: string): Promise<Map<string, bigint>> {
  const admin = kafkaClient(bootstrapServers).admin()
  await admin.connect()
  try {
    const [found] = await admin.fetchOffsets({ groupId, topics: [topic] })
    return new Map((found?.partitions ?? []).map(({ partition, offset }) => [String(partition), BigInt(offset)]))
  } finally {
    await admin.disconnect()
  }
}

/** A batch of one partition may have 1 MiB. */
const requestBytes = 700_000

async function sendToKafka(producer: Producer, topic: string, records: readonly TestRecord[]): Promise<void> {
  for (const part of parts(records, requestBytes)) {
    const messages = part.map(({ key, value, mark }) => ({ key, value, headers: { [markHeader]: mark } }))
    await producer.send({ topic, acks: -1, messages })
  }
}

interface Collector {
  readonly consumer: Consumer
  collect(run: TestRun): void
}

interface Arrival {
  readonly key: string | null
  readonly value: Buffer | null
  readonly mark: string | undefined
}

async function openCollector(bootstrapServers: string, topic: string): Promise<Collector> {
  const consumer = kafkaClient(bootstrapServers).consumer({ groupId: uniqueName('checker'), maxWaitTimeInMs: 200 })
  const arrived: Arrival[] = []
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    eachBatch: ({ batch }) => {
      for (const { key, value, headers } of batch.messages)
        arrived.push({ key: key?.toString() ?? null, value, mark: headers?.[markHeader]?.toString() })
      return Promise.resolve()
    },
  })
  return {
    consumer,
    collect(run) {
      for (const { key, value, mark } of arrived.splice(0)) run.arrived(key, value, mark)
    },
  }
}
