import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { BridgeRecord } from '../../../bridge-runtime/core/contracts.ts'
import { BridgeError } from '../../../bridge-runtime/core/errors.ts'
import { openKafkaSink } from '../../../bridge-runtime/connectors/kafka/sink.ts'
import { eventually } from '../../support/eventually.ts'
import { createTopic, withAdmin, kafkaClient } from '../../support/kafka.ts'
import { sharedKafka, uniqueName } from '../../support/shared-servers.ts'
import { openSink, read, sinkConfig, testContext, write } from './harness.ts'
import { consumeAll } from './verify.ts'

const signal = new AbortController().signal

test('keys, values, headers, times and tombstones arrive as they were, with the source id', async () => {
  const server = await sharedKafka()
  const topic = uniqueName('shapes')
  await createTopic(server, topic, { partitions: 1 })
  await using sink = await openSink({ bootstrapServers: [server], topic })
  const records: Partial<BridgeRecord>[] = [
    { key: Buffer.from('k'), value: Buffer.from('v'), timestamp: 1_700_000_000_001 },
    { key: Buffer.from('k'), value: null, timestamp: 1_700_000_000_000 },
    { key: null, value: Buffer.alloc(0) },
    { key: Buffer.alloc(0), value: Buffer.from([0, 255, 128]) },
    {
      value: Buffer.from('headers'),
      headers: [
        { name: 'same', value: Buffer.from('1') },
        { name: 'same', value: Buffer.from([0xff, 0x00]) },
        { name: 'empty', value: Buffer.alloc(0) },
      ],
    },
  ]
  assert.deepEqual(await write(sink, records), new Map())
  const found = await consumeAll(server, topic, records.length)
  assert.deepEqual(
    found.map(({ key, value }) => [key, value]),
    records.map(({ key, value }) => [key ?? null, value ?? null]),
  )
  assert.equal(found[0]?.timestamp, '1700000000001')
  assert.equal(found[1]?.timestamp, '1700000000000')
  assert.equal(String(found[3]?.headers?.['streambridge-source-id']), 'kafka/source/0/3')
  const { same, empty } = found[4]?.headers ?? {}
  assert.deepEqual(same, [Buffer.from('1'), Buffer.from([0xff, 0x00])])
  assert.deepEqual(empty, Buffer.alloc(0))
})

for (const compression of ['None', 'Gzip', 'Snappy', 'LZ4', 'Zstd']) {
  test(`the broker's own codec reads what is written with ${compression}`, async () => {
    const server = await sharedKafka()
    const topic = uniqueName('write')
    // The broker must decompress to store it plain, and kafkajs reads plain batches only.
    await createTopic(server, topic, { partitions: 2, config: { 'compression.type': 'uncompressed' } })
    await using sink = await openSink({ bootstrapServers: [server], topic, compression })
    const records = Array.from({ length: 500 }, (_, n) => ({
      key: Buffer.from(`k${n % 9}`),
      value: Buffer.from(`value ${n} `.repeat(20)),
    }))
    assert.deepEqual(await write(sink, records), new Map())
    const found = await consumeAll(server, topic, records.length)
    assert.deepEqual(found.map(({ value }) => String(value)).sort(), records.map(({ value }) => String(value)).sort())
  })

  test(`what the broker compressed with ${compression} is read`, async () => {
    const server = await sharedKafka()
    const topic = uniqueName('read')
    const codec = compression === 'None' ? 'uncompressed' : compression.toLowerCase()
    await createTopic(server, topic, { partitions: 1, config: { 'compression.type': codec } })
    const producer = kafkaClient(server).producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    const values = Array.from({ length: 300 }, (_, n) => `value ${n} `.repeat(30))
    await producer.send({ topic, messages: values.map((value) => ({ value })) })
    await producer.disconnect()
    await using reading = await read({ bootstrapServers: [server], topics: [topic], consumerGroup: topic })
    await eventually(
      'all are read',
      () => reading.records.length,
      (count) => count >= values.length,
    )
    await reading.stop()
    assert.deepEqual(
      reading.records.map(({ value }) => String(value)),
      values,
    )
  })
}

test('a key goes to the partition that the Java-compatible client chooses', async () => {
  const server = await sharedKafka()
  const topic = uniqueName('keys')
  await createTopic(server, topic, { partitions: 7 })
  const keys = Array.from({ length: 100 }, (_, n) => `key-${n}`)
  const producer = kafkaClient(server).producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  await producer.send({ topic, messages: keys.map((key) => ({ key, value: 'theirs' })) })
  await producer.disconnect()
  await using sink = await openSink({ bootstrapServers: [server], topic })
  await write(
    sink,
    keys.map((key) => ({ key: Buffer.from(key), value: Buffer.from('ours') })),
  )
  const found = await consumeAll(server, topic, 200)
  for (const key of keys) {
    const partitions = new Set(found.filter((record) => String(record.key) === key).map(({ partition }) => partition))
    assert.equal(partitions.size, 1, key)
  }
})

test('with SourcePartition a whole partition goes to the partition of its number', async () => {
  const server = await sharedKafka()
  const topic = uniqueName('numbers')
  await createTopic(server, topic, { partitions: 3 })
  await using sink = await openSink({ bootstrapServers: [server], topic, partitioning: 'SourcePartition' })
  await write(sink, [{ key: Buffer.from('a') }, { key: Buffer.from('b') }, {}], 'orders/5')
  const found = await consumeAll(server, topic, 3)
  assert.deepEqual(
    found.map(({ partition }) => partition),
    [2, 2, 2],
  )
})

test('only the record that is too large fails, by our limit', async () => {
  const server = await sharedKafka()
  const topic = uniqueName('too-large')
  await createTopic(server, topic, { partitions: 1 })
  await using sink = await openSink({ bootstrapServers: [server], topic, maxRequestBytes: '20000' })
  const large = { key: Buffer.from('big'), value: randomBytes(30_000) }
  const failures = await write(sink, [
    { key: Buffer.from('a') },
    large,
    { key: Buffer.from('b') },
    { key: Buffer.from('big') },
  ])
  assert.deepEqual([...failures.keys()], [1, 3])
  assert.equal(failures.get(1)?.kind, 'poison')
  assert.equal(failures.get(1)?.reason, 'RecordTooLarge')
  assert.match(failures.get(1)?.message ?? '', /30[0-9]{3} bytes.*maxRequestBytes is 20000/)
  assert.equal(failures.get(3)?.kind, 'retryable', 'a later record of the same key waits')
  assert.equal((await consumeAll(server, topic, 2)).length, 2)
})

test('by default a record is as large as the topic accepts, and larger where compressing makes it fit', async () => {
  const server = await sharedKafka()
  const [plain, raised] = [uniqueName('largest'), uniqueName('largest-raised')]
  await createTopic(server, plain, { partitions: 1 })
  await createTopic(server, raised, { partitions: 1, config: { 'max.message.bytes': '2000000' } })
  const [incompressible, text] = [
    randomBytes(1_600_000),
    Buffer.alloc(1_048_576, 'a record of one MiB, as Kinesis has. '),
  ]
  await using one = await openSink({ bootstrapServers: [server], topic: plain })
  const failures = await write(one, [
    { key: Buffer.from('a'), value: incompressible.subarray(0, 1_020_000) },
    { key: Buffer.from('b'), value: text },
    { key: Buffer.from('c'), value: incompressible },
  ])
  assert.deepEqual([...failures.keys()], [2])
  assert.match(
    failures.get(2)?.message ?? '',
    /takes 1600[0-9]{3} bytes, topic "largest[^"]*" accepts 1048588: raise its max.message.bytes/,
  )
  const found = await consumeAll(server, plain, 2)
  assert.ok(found[0]?.value?.equals(incompressible.subarray(0, 1_020_000)) && found[1]?.value?.equals(text))
  await using other = await openSink({ bootstrapServers: [server], topic: raised })
  assert.equal((await write(other, [{ value: incompressible }])).size, 0)
  assert.equal((await consumeAll(server, raised, 1))[0]?.value?.length, 1_600_000)
})

test('a message about a limit names the field of this sink', async () => {
  const server = await sharedKafka()
  const topic = uniqueName('field')
  await createTopic(server, topic, { partitions: 1 })
  const context = testContext({ field: 'spec.delivery.deadLetter.kafka' })
  await using sink = await openSink({ bootstrapServers: [server], topic, maxRequestBytes: '2000' }, context)
  const failures = await write(sink, [{ value: randomBytes(3_000) }])
  assert.match(failures.get(0)?.message ?? '', /spec\.delivery\.deadLetter\.kafka\.maxRequestBytes is 2000/)
})

test("only the record that is too large fails, by the topic's limit, while others are in flight", async () => {
  const server = await sharedKafka()
  const topic = uniqueName('too-large-for-topic')
  await createTopic(server, topic, { partitions: 1, config: { 'max.message.bytes': '10000' } })
  await using sink = await openSink({ bootstrapServers: [server], topic })
  const small = (n: number) => ({ key: Buffer.from(`k${n}`), value: Buffer.alloc(500, n) })
  const first = Array.from({ length: 40 }, (_, n) =>
    n === 17 ? { key: Buffer.from('big'), value: randomBytes(15_000) } : small(n),
  )
  const others = Array.from({ length: 5 }, (_, lane) =>
    write(
      sink,
      Array.from({ length: 10 }, (_, n) => small(100 + 10 * lane + n)),
    ),
  )
  const failures = await write(sink, first)
  assert.deepEqual([...failures.keys()], [17])
  assert.equal(failures.get(17)?.reason, 'RecordTooLarge')
  for (const other of await Promise.all(others)) assert.equal(other.size, 0)
  const found = await consumeAll(server, topic, 89)
  assert.deepEqual(
    found.map(({ key }) => String(key)).filter((key) => Number(key.slice(1)) < 40),
    first.flatMap(({ key }, n) => (n === 17 ? [] : [String(key)])),
  )
})

test('a record that the topic refuses is poison, the others are stored', async () => {
  const server = await sharedKafka()
  const topic = uniqueName('compacted')
  await createTopic(server, topic, { partitions: 1, config: { 'cleanup.policy': 'compact' } })
  await using sink = await openSink({ bootstrapServers: [server], topic })
  const failures = await write(sink, [
    { key: Buffer.from('a') },
    { key: null, value: Buffer.from('no key') },
    { key: Buffer.from('b') },
  ])
  assert.deepEqual(
    [...failures].map(([index, { kind, reason }]) => [index, kind, reason]),
    [[1, 'poison', 'InvalidRecord']],
  )
})

test('many writes at once to one partition arrive complete and in order of each write', async () => {
  const server = await sharedKafka()
  const topic = uniqueName('pipelined')
  await createTopic(server, topic, { partitions: 2 })
  await using sink = await openSink({ bootstrapServers: [server], topic })
  const lanes = Array.from({ length: 12 }, (_, lane) =>
    Array.from({ length: 200 }, (_, n) => ({ key: Buffer.from(`lane-${lane}`), value: Buffer.from(`${n}`) })),
  )
  const results = await Promise.all(lanes.map((records) => write(sink, records)))
  for (const failures of results) assert.equal(failures.size, 0)
  const found = await consumeAll(server, topic, 2400)
  for (const lane of lanes.keys()) {
    const values = found.filter(({ key }) => String(key) === `lane-${lane}`).map(({ value }) => String(value))
    assert.deepEqual(
      values,
      lanes[lane]?.map(({ value }) => String(value)),
    )
  }
})

test('a missing topic is named before anything is written, and found when it is made', async () => {
  const server = await sharedKafka()
  const topic = uniqueName('missing')
  await using sink = await openKafkaSink(sinkConfig({ bootstrapServers: [server], topic }), testContext())
  await assert.rejects(sink.open(signal), (error) => {
    assert.ok(error instanceof BridgeError)
    assert.deepEqual([error.kind, error.reason], ['fatal', 'TopicNotFound'])
    assert.match(error.message, new RegExp(`"${topic}".*create the topic`))
    return true
  })
  await createTopic(server, topic)
  await eventually('it opens', () => sink.open(signal).then(() => true))
})

test('a broker that is not there is said to be unreachable', async () => {
  await using sink = await openKafkaSink(sinkConfig({ bootstrapServers: ['127.0.0.1:1'], topic: 't' }), testContext())
  await assert.rejects(sink.open(signal), { kind: 'retryable', reason: 'BrokerUnreachable' })
})

test('a topic that is deleted is named, and written again soon after it is made again', async () => {
  const server = await sharedKafka()
  const topic = uniqueName('again')
  await createTopic(server, topic, { partitions: 1 })
  await using sink = await openSink({ bootstrapServers: [server], topic })
  assert.equal((await write(sink, [{ key: Buffer.from('a') }])).size, 0)
  await withAdmin(server, (admin) => admin.deleteTopics({ topics: [topic] }))
  const failure = async (): Promise<BridgeError | undefined> => {
    try {
      return (await write(sink, [{ key: Buffer.from('b') }])).get(0)
    } catch (thrown) {
      return thrown as BridgeError
    }
  }
  const error = await eventually('it is named', failure, (found) => found?.reason === 'TopicNotFound')
  assert.match(error?.message ?? '', new RegExp(`writing to topic "${topic}"`))
  await createTopic(server, topic, { partitions: 1 })
  await eventually('it is written again', failure, (found) => found === undefined)
  assert.ok((await consumeAll(server, topic, 1)).length > 0)
})
