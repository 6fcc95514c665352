import { CompressionTypes, Partitioners } from 'kafkajs'
import { kafka } from '../../../bridge-runtime/connectors/kafka/index.ts'
import { connectorSuite } from '../../conformance/connector-suite.ts'
import type { PlainRecord } from '../../conformance/harness.ts'
import { startBroker } from '../../conformance/servers/kafka.ts'
import { createTopic, kafkaClient, withAdmin } from '../../support/kafka.ts'
import { sharedKafka, uniqueName } from '../../support/shared-servers.ts'
import { expireOffsets, recreateTopic } from './life.ts'

const source = (target: string, topic: string): object => ({
  bootstrapServers: [target],
  topics: [topic],
  sessionTimeout: '6s',
  fetch: { maxWait: '200ms', maxDecodedBytes: '2Mi' },
})
const sink = (target: string, topic: string): object => ({ bootstrapServers: [target], topic, requestTimeout: '5s' })

async function produce(target: string, topic: string, records: readonly PlainRecord[]): Promise<void> {
  const producer = kafkaClient(target).producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    idempotent: true,
    maxInFlightRequests: 1,
  })
  await producer.connect()
  await producer.send({
    topic,
    acks: -1,
    compression: CompressionTypes.None,
    messages: records.map(({ key, value, headers = {}, timestamp }) => ({
      key,
      value,
      headers,
      ...(timestamp === undefined ? {} : { timestamp: String(timestamp) }),
    })),
  })
  await producer.disconnect()
}

/** A record that inflates beyond what the source decodes. */
async function bomb(target: string, topic: string): Promise<void> {
  const producer = kafkaClient(target).producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  await producer.send({
    topic,
    acks: -1,
    compression: CompressionTypes.GZIP,
    messages: [{ key: 'k', value: Buffer.alloc(3 * 1024 * 1024) }],
  })
  await producer.disconnect()
}

async function readAll(target: string, topic: string): Promise<PlainRecord[]> {
  const ends = await withAdmin(target, (admin) => admin.fetchTopicOffsets(topic))
  const left = new Map(ends.filter(({ low, high }) => low !== high).map((end) => [end.partition, BigInt(end.high)]))
  const records: PlainRecord[] = []
  if (left.size === 0) return records
  const consumer = kafkaClient(target).consumer({ groupId: uniqueName('reader'), sessionTimeout: 10_000 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: ({ partition, message }) => {
          const { key, value, timestamp, offset, headers = {} } = message
          const named = Object.entries(headers).map(([name, text]) => [name, text?.toString() ?? ''])
          records.push({
            key: key?.toString() ?? null,
            value,
            headers: Object.fromEntries(named) as Record<string, string>,
            timestamp: Number(timestamp),
          })
          if (BigInt(offset) + 1n >= (left.get(partition) ?? 0n)) left.delete(partition)
          if (left.size === 0) resolve()
          return Promise.resolve()
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  return records
}

connectorSuite({
  connector: kafka,
  exceptions: {},
  lacks: {},
  secrets: {},
  tooLarge: 1_100_000,
  target: sharedKafka,
  createStream: (target, topic, partitions) => createTopic(target, topic, { partitions }),
  sourceConfig: source,
  sinkConfig: sink,
  produce,
  unreadable: bomb,
  readAll,
  recreateStream: recreateTopic,
  losePositions: async ({ target, name }) => void (await expireOffsets(target, `streambridge.conformance.${name}`)),
  async wrongCredentials(topic) {
    const server = await startBroker({ listeners: ['sasl'], users: { alice: 'right-password' } })
    const address = server.addresses.sasl ?? ''
    const sasl = {
      mechanism: 'PLAIN',
      allowPlaintext: true,
      usernameSecretRef: { name: 'login', key: 'user' },
      passwordSecretRef: { name: 'login', key: 'password' },
    }
    return {
      source: { ...source(address, topic), sasl },
      sink: { ...sink(address, topic), sasl },
      secrets: { 'login/user': 'alice', 'login/password': 'wrong-canary-7f3a' },
      canary: 'wrong-canary-7f3a',
      stop: () => server.stop(),
    }
  },
  async interruption() {
    const server = await startBroker()
    return {
      target: server.bootstrapServers,
      interrupt: () => server.crash(),
      stop: () => server.stop(),
    }
  },
})
