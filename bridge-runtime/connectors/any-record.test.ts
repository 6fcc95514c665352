/** Whatever a record holds, every sink answers for that record alone. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { protos } from '@google-cloud/pubsub'
import fc from 'fast-check'
import rhea from 'rhea'
import { fakeKinesis } from '../../test/support/kinesis-fake/fake-kinesis.ts'
import { sinkBatch } from '../../test/support/sink-batch.ts'
import { realClock } from '../core/clock.ts'
import type { BridgeRecord, Header, Sink, SinkBatch } from '../core/contracts.ts'
import { openConsoleSink } from './console/sink.ts'
import { eventHubsSink } from './event-hubs/sink.ts'
import { openFileSink } from './file/sink.ts'
import { decodeRecords } from './kafka/protocol/record-decoder.ts'
import { encodeBatch, recordBound, sourcePrefix } from './kafka/protocol/record-encoder.ts'
import { kinesisSink as kinesisSchema } from './kinesis/schema.ts'
import { kinesisSink } from './kinesis/sink.ts'
import { pubsubSink as pubsubSchema } from './pubsub/schema.ts'
import { pubsubSink } from './pubsub/sink.ts'

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array))
const large = fc.constantFrom(Buffer.alloc(2 ** 20, 'k'), Buffer.alloc(2 ** 20, 0xff))
const content = fc.oneof(
  { weight: 8, arbitrary: bytes(20) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(null, Buffer.alloc(0), Buffer.from('streambridge:none:1'), Buffer.from('v')),
  },
  { weight: 1, arbitrary: large },
)
const name = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('', 'a', 'a', '__proto__', 'constructor', 'goog-x', '\ud800', 'a\udfffb', '\u0000', '\uFFFD'),
  fc.constantFrom('streambridge-packed', 'streambridge-timestamp', 'streambridge-source-id', 'x'.repeat(3_000)),
)
const header: fc.Arbitrary<Header> = fc.record({ name, value: fc.oneof(bytes(20), bytes(2_000), fc.constant(null)) })
const many = Array.from(
  { length: 10_000 },
  (_, n): Header => ({ name: `h${n % 7}`, value: n % 3 === 0 ? null : Buffer.from('1') }),
)
const record: fc.Arbitrary<Omit<BridgeRecord, 'position'> & { readonly text: boolean }> = fc.record({
  key: content,
  value: content,
  headers: fc.oneof(
    { weight: 20, arbitrary: fc.array(header, { maxLength: 5 }) },
    { weight: 1, arbitrary: fc.constant(many) },
  ),
  timestamp: fc.oneof(
    fc.integer(),
    fc.double(),
    fc.constantFrom(-1, -0, 0.5, 2 ** 53, 2 ** 63, -(2 ** 63), Number.MAX_VALUE, Infinity, -Infinity, Number.NaN),
  ),
  text: fc.boolean(),
})
const records: fc.Arbitrary<readonly BridgeRecord[]> = fc
  .array(record, { minLength: 1, maxLength: 8 })
  .map((all) =>
    all.map(({ text, ...rest }, index) => ({ ...rest, position: text ? `4959033827148021${index}` : index })),
  )

const batchOf = (all: readonly BridgeRecord[]): SinkBatch => sinkBatch(all, { stream: 'kafka/orders', partition: '0' })

/** Writes any records, and compares how many the service was given with what the sink says of them. */
async function answersForEach(sink: Sink, given: () => number | Promise<number>): Promise<void> {
  let before = await given()
  await fc.assert(
    fc.asyncProperty(records, async (all) => {
      const failures = await sink.write(batchOf(all), new AbortController().signal)
      for (const [index, { kind, reason }] of failures) {
        assert.ok(index >= 0 && index < all.length)
        assert.ok(kind === 'poison' || reason === 'HeldBack', `${kind} ${reason}`)
      }
      const after = await given()
      assert.equal(after - before, all.length - failures.size)
      before = after
    }),
    { numRuns: 60 },
  )
}

test('Kinesis: a record of any content is delivered, or failed by its index', async () => {
  let given = 0
  const api = fakeKinesis((entries) => {
    for (const { PartitionKey = '' } of entries) assert.ok(PartitionKey.length >= 1 && PartitionKey.length <= 256)
    given += entries.length
    return Promise.resolve(entries.map(() => undefined))
  })
  const config = kinesisSchema.parse({ streamName: 'orders', region: 'eu-west-1' })
  await answersForEach(kinesisSink(api, config, { clock: realClock, field: 'spec.sink.kinesis' }), () => given)
})

test('Pub/Sub: a record of any content is delivered, or failed by its index', async () => {
  let given = 0
  const { PublishRequest } = protos.google.pubsub.v1
  const connection = {
    call: (method: string, request: object) => {
      if (method !== 'publish') return Promise.resolve({})
      const { messages } = PublishRequest.decode(PublishRequest.encode(request).finish())
      for (const { attributes } of messages)
        for (const [key, value] of Object.entries(attributes ?? {})) assert.ok(`${key}${value}`.isWellFormed())
      given += messages.length
      return Promise.resolve({})
    },
  }
  for (const orderingKey of ['FromSourceKey', 'None']) {
    const config = pubsubSchema.parse({ projectID: 'project', topic: 'orders', orderingKey })
    const context = { field: 'spec.sink.pubsub', log: undefined as never }
    const sink = pubsubSink(() => Promise.resolve(connection as never), config, context)
    await sink.open(new AbortController().signal)
    await answersForEach(sink, () => given)
  }
})

test('Event Hubs: a record of any content is delivered, or failed by its index', async () => {
  let given = 0
  const api = {
    describe: () => Promise.resolve({ partitions: ['0', '1'] }),
    translated: (thrown: unknown) => thrown,
    sender: () =>
      Promise.resolve({
        maxMessageSize: 2 ** 20,
        open: true,
        close: () => undefined,
        send: (payload: Buffer) => {
          const { body } = rhea.message.decode(payload)
          const events = [(body as { readonly content: Buffer | readonly Buffer[] }).content].flat()
          for (const event of events) rhea.message.decode(event)
          given += events.length
          return Promise.resolve()
        },
      }),
  }
  const limits = { maxRecords: 500, maxBatchBytes: '1Mi' }
  const sink = eventHubsSink(api as never, { limits }, { clock: realClock, field: 'spec.sink.eventHubs' })
  await sink.open(new AbortController().signal)
  await answersForEach(sink, () => given)
})

const linesIn = (text: string): number => text.split('\n').filter((line) => line !== '' && JSON.parse(line)).length

test('file: a record of any content is delivered as a line of JSON', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'any-record-'))
  try {
    const path = join(directory, 'records')
    await using sink = await openFileSink({ path })
    let told = 0
    await answersForEach(sink, async () => {
      told += linesIn(await readFile(path, 'utf8').catch(() => ''))
      await writeFile(path, '')
      return told
    })
  } finally {
    await rm(directory, { recursive: true })
  }
})

test('console: a record of any content is delivered as a line of JSON', async () => {
  const output = new PassThrough()
  let told = 0
  output.on('data', (chunk: Buffer) => (told += chunk.toString().split('\n').length - 1))
  await answersForEach(await openConsoleSink(output), () => told)
})

test('Kafka: a record of any content is in the batch, within the bound by which batches are cut, and can be read', async () => {
  const prefix = sourcePrefix('kafka/orders/0')
  await fc.assert(
    fc.asyncProperty(records, async (all) => {
      const batch = await encodeBatch(all, prefix, 'None')
      assert.ok(batch.length <= all.reduce((sum, one) => sum + recordBound(one, prefix), 100))
      const back = decodeRecords(batch)
      assert.deepEqual(
        back.map(({ key, value, headers }) => [key, value, headers.length]),
        all.map(({ key, value, headers }) => [key, value, headers.length + 1]),
      )
    }),
    { numRuns: 60 },
  )
})
