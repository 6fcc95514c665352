/** What a record keeps on its way: Kafka → A → B → Kafka for each pair of brokers, against docs/guides/connectors/README.md. */
import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'
import type { z } from 'zod'
import { createBridge } from '../../bridge-runtime/bridge.ts'
import { memoryLeases } from '../../bridge-runtime/lease-stores/memory.ts'
import { silentLogger } from '../../bridge-runtime/observability/logger.ts'
import { bridgeFile } from '../../crds/schema/bridge-file.ts'
import { eventually } from '../support/eventually.ts'
import { type Broker, brokers, openEnd } from '../support/ends/brokers.ts'
import type { End } from '../support/ends/end.ts'
import { createTopic, kafkaClient } from '../support/kafka.ts'
import { keepRunning } from '../support/running-engine.ts'
import { sharedKafka, uniqueName } from '../support/shared-servers.ts'

interface Rich {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, Buffer | readonly Buffer[]>>
  readonly timestamp: number
}

const allBytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
/** Not now, and not so old that Kafka would drop it. */
const timestamp = Date.now() - 3_600_000
const plain: Rich = { key: Buffer.from('key'), value: Buffer.from('value'), headers: {}, timestamp }

/** Each tells itself by its size or its words, so that no field has to. */
const records: Readonly<Record<string, Rich>> = {
  'text, with a text header': { ...plain, headers: { trace: Buffer.from('4bf92f') } },
  'bytes that are no text': { ...plain, key: Buffer.from([0xff, 0x00, 0xfe]), value: allBytes },
  'no key': { ...plain, key: null, value: Buffer.from('without a key') },
  'an empty key': { ...plain, key: Buffer.alloc(0), value: Buffer.from('with an empty key') },
  'a long key': { ...plain, key: Buffer.from('long'.repeat(500)), value: Buffer.from('with a long key') },
  'an empty value': { ...plain, key: Buffer.from('empty'), value: Buffer.alloc(0) },
  'a tombstone': { ...plain, key: Buffer.from('tombstone'), value: null },
  'bytes in headers, and a repeated name': {
    ...plain,
    value: Buffer.from('with headers'),
    headers: { bytes: allBytes, twice: [Buffer.from('1'), Buffer.from('2')], empty: Buffer.alloc(0) },
  },
  'nearly a mebibyte': { ...plain, value: Buffer.alloc(900_000, 'x') },
}

/** What a service has no place for: the columns of the table in the guide. */
const lost: Readonly<Record<Broker, Partial<Record<'headers' | 'timestamp' | 'longKey', true>>>> = {
  kafka: {},
  kinesis: { headers: true, timestamp: true, longKey: true },
  pubsub: {},
  eventHubs: {},
}
/** A record that a service cannot take: it is poison, for the dead-letter sink. */
const cannot: Partial<Record<Broker, string>> = { kinesis: 'a tombstone' }

const expected = (name: string, through: readonly Broker[]): Partial<Rich> => {
  const record = records[name] ?? plain
  const losing = (what: 'headers' | 'timestamp' | 'longKey'): boolean =>
    through.some((broker) => lost[broker][what] === true)
  return {
    value: record.value,
    ...(name === 'a long key' && losing('longKey') ? {} : { key: record.key }),
    ...(losing('headers') ? {} : { headers: record.headers }),
    ...(losing('timestamp') ? {} : { timestamp: record.timestamp }),
  }
}

type Config = Pick<z.input<typeof bridgeFile>, 'source' | 'sink'>

/** Runs a bridge in this process until the test ends. */
function bridge(t: TestContext, { source, sink }: Config, secrets: readonly End['secrets'][]): void {
  const name = uniqueName('fidelity')
  const file = bridgeFile.parse({ name, namespace: 'test', uid: name, logLevel: 'error', source, sink, delivery: {} })
  const known: Record<string, Readonly<Record<string, string>>> = Object.assign({}, ...secrets)
  const engine = createBridge({
    file,
    replica: 'replica-0',
    secret: async (ref) => Buffer.from(known[ref.name]?.[ref.key] ?? ''),
    leases: memoryLeases(),
    log: silentLogger,
    onWrite: () => undefined,
  })
  keepRunning(t, engine)
}

async function produce(bootstrapServers: string, topic: string, names: readonly string[]): Promise<void> {
  const producer = kafkaClient(bootstrapServers).producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  for (const name of names) {
    const { key, value, headers, timestamp: time } = records[name] ?? plain
    const message = { key, value, headers: headers as Record<string, Buffer | Buffer[]>, timestamp: String(time) }
    await producer.send({ topic, acks: -1, messages: [message] })
  }
  await producer.disconnect()
}

/** Our own headers are not the sender's. */
const foreign = (name: string): boolean => !name.startsWith('streambridge-')

async function readAll(t: TestContext, bootstrapServers: string, topic: string, count: number): Promise<Rich[]> {
  const consumer = kafkaClient(bootstrapServers).consumer({ groupId: uniqueName('reader'), maxWaitTimeInMs: 200 })
  t.after(() => consumer.disconnect())
  const found: Rich[] = []
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ message: { key, value, headers = {}, timestamp: time } }) => {
      const own = Object.entries(headers).filter(([name]) => foreign(name))
      found.push({ key, value, headers: Object.fromEntries(own) as Rich['headers'], timestamp: Number(time) })
    },
  })
  await eventually(
    `${count} records`,
    () => found.map(nameOf),
    ({ length }) => length >= count,
    { within: 120_000 },
  )
  return found
}

const nameOf = ({ value }: Rich): string | undefined =>
  Object.keys(records).find((name) => {
    const known = records[name]?.value ?? null
    return value === null || known === null ? value === known : known.equals(value)
  })

suite('what a record keeps', { concurrency: 4 }, () => {
  for (const first of brokers)
    for (const second of brokers)
      test(`Kafka → ${first} → ${second} → Kafka`, async (t) => {
        const bootstrapServers = await sharedKafka()
        const [begin, end] = [uniqueName('begin'), uniqueName('end')]
        for (const topic of [begin, end]) await createTopic(bootstrapServers, topic, { partitions: 1 })
        const [a, b] = await Promise.all([openEnd(first), openEnd(second)])
        const through = [first, second]
        const names = Object.keys(records).filter((name) => !through.some((broker) => cannot[broker] === name))
        await produce(bootstrapServers, begin, names)
        const kafka = { bootstrapServers: [bootstrapServers] }
        bridge(t, { source: { kafka: { ...kafka, topics: [begin] } }, sink: a.sink }, [a.secrets])
        bridge(t, { source: a.hastySource, sink: b.sink }, [a.secrets, b.secrets])
        bridge(t, { source: b.hastySource, sink: { kafka: { ...kafka, topic: end } } }, [b.secrets])
        const arrived = await readAll(t, bootstrapServers, end, names.length)
        assert.deepEqual(arrived.map((record) => nameOf(record) ?? 'unknown').toSorted(), names.toSorted())
        for (const record of arrived) {
          const name = nameOf(record) ?? ''
          const want = expected(name, through)
          assert.deepEqual({ name, ...record, ...want }, { name, ...record }, `${name} arrived changed`)
        }
      })
})
