/** What the emulator promises, judged by the vendor's SDK. Faults and volume have files of their own. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import {
  EventHubBufferedProducerClient,
  type EventData,
  latestEventPosition,
  type ReceivedEventData,
} from '@azure/event-hubs'
import { partitionOf } from '../../emulators/event-hubs/partition-key.ts'
import { type EventHubsServer, startEventHubs } from '../../support/event-hubs.ts'
import { eventually } from '../../support/eventually.ts'
import { consumerOf, producerOf, read, readFirst, retryOptions } from '../../support/event-hubs-sdk.ts'

let server: EventHubsServer
before(async () => void (server = await startEventHubs()))
after(() => server.stop())

let hubs = 0
async function newHub(partitions = 1, groups: readonly string[] = []): Promise<{ name: string; connection: string }> {
  const name = `hub-${hubs++}`
  await server.admin.createHub(name, partitions, groups)
  return { name, connection: server.connectionString(name) }
}

const text = ({ body }: ReceivedEventData): string => (body as Buffer).toString('utf8')
const event = (body: string): EventData => ({ body: Buffer.from(body) })

test('a hub tells its partitions, and a partition its range and whether it is empty', async () => {
  const { name, connection } = await newHub(3)
  await using producer = producerOf(connection)
  assert.deepEqual(await producer.getPartitionIds(), ['0', '1', '2'])
  const hub = await producer.getEventHubProperties()
  assert.deepEqual([hub.name, hub.partitionIds.length], [name, 3])
  assert.ok(hub.createdOn.getTime() > 0)
  const empty = await producer.getPartitionProperties('1')
  assert.deepEqual([empty.isEmpty, empty.lastEnqueuedSequenceNumber, empty.lastEnqueuedOffset], [true, -1, '-1'])
  await producer.sendBatch([event('a'), event('b')], { partitionId: '1' })
  const filled = await producer.getPartitionProperties('1')
  assert.deepEqual([filled.isEmpty, filled.beginningSequenceNumber, filled.lastEnqueuedSequenceNumber], [false, 0, 1])
  const [last] = await readFirst(connection, 1, { partition: '1', from: { sequenceNumber: 1, isInclusive: true } })
  assert.equal(filled.lastEnqueuedOffset, last?.offset)
  assert.deepEqual(filled.lastEnqueuedOnUtc, last?.enqueuedTimeUtc)
})

test('every kind of body, property and annotation arrives as it was sent', async () => {
  const { connection } = await newHub()
  await using producer = producerOf(connection)
  const bytes = randomBytes(1_000)
  await producer.sendBatch([
    {
      body: bytes,
      properties: { text: 'é', number: 1.5, yes: true, big: 5_000_000_000 },
      messageId: 'm-1',
      correlationId: 'c-1',
      contentType: 'x/y',
    },
    { body: '{"json":1}' },
    { body: { json: [1, 'two', null] } },
    { body: [1, 2] },
    { body: null },
    { body: Buffer.alloc(0) },
  ])
  await producer.sendBatch([
    { body: [[1, 'two'], { three: 3 }], bodyType: 'sequence' },
    { body: { a: 'value' }, bodyType: 'value' },
    { body: 'raw', bodyType: 'value', messageAnnotations: { 'x-mine': 'kept' } },
  ])
  const [first, ...rest] = await readFirst(connection, 9, { partition: '0' })
  assert.ok(first !== undefined)
  assert.deepEqual([first.body, first.messageId, first.correlationId, first.contentType], [bytes, 'm-1', 'c-1', 'x/y'])
  assert.deepEqual(first.properties, { text: 'é', number: 1.5, yes: true, big: 5_000_000_000 })
  assert.deepEqual(rest.slice(0, 3).map(text), ['"{\\"json\\":1}"', '{"json":[1,"two",null]}', '[1,2]'])
  assert.deepEqual(
    rest.slice(3, 5).map(({ body }) => body),
    [null, Buffer.alloc(0)],
  )
  const [sequence, value, raw] = rest.slice(5).map((received) => received.getRawAmqpMessage())
  assert.deepEqual([sequence?.bodyType, value?.bodyType, raw?.bodyType], ['sequence', 'value', 'value'])
  assert.deepEqual([value?.body, raw?.body, raw?.messageAnnotations?.['x-mine']], [{ a: 'value' }, 'raw', 'kept'])
  assert.deepEqual(rest[5]?.body, [[1, 'two'], { three: 3 }])
})

test('a batch filled to the last byte is taken whole, in many frames, and one byte more is not', async () => {
  const { connection } = await newHub()
  await using producer = producerOf(connection)
  const probe = await producer.createBatch()
  assert.equal(probe.maxSizeInBytes, 1_048_576)
  const fill = async (size: number) => {
    const batch = await producer.createBatch()
    return batch.tryAdd({ body: Buffer.alloc(size, 7) }) ? batch : undefined
  }
  let [fits, big] = [0, 1_048_576]
  while (big - fits > 1) {
    const size = (fits + big) >>> 1
    if ((await fill(size)) === undefined) big = size
    else fits = size
  }
  const full = await fill(fits)
  assert.ok(full !== undefined)
  assert.equal(full.sizeInBytes, full.maxSizeInBytes)
  await producer.sendBatch(full)
  const [received] = await readFirst(connection, 1, { partition: '0' })
  assert.ok(Buffer.alloc(fits, 7).equals(received?.body as Buffer))
  const oversize = producer.sendBatch([{ body: Buffer.alloc(fits + 1) }])
  await assert.rejects(oversize, { code: 'MessageTooLargeError', retryable: false })
})

test('events go to the partition of their key, to the partition named, or round', async () => {
  const { name, connection } = await newHub(4)
  await using producer = producerOf(connection)
  const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`)
  for (const key of keys) await producer.sendBatch([event(key)], { partitionKey: key })
  const at = async (partition: number) =>
    (await server.admin.dump(name, String(partition))).map((stored) => stored.partitionKey)
  for (const partition of [0, 1, 2, 3])
    assert.deepEqual(
      await at(partition),
      keys.filter((key) => partitionOf(key, 4) === partition),
    )
  await producer.sendBatch([event('named')], { partitionId: '2' })
  assert.equal((await at(2)).at(-1), undefined)
  const before = (await server.admin.hub(name)).partitions.map(({ events }) => events)
  for (let turn = 0; turn < 4; turn++) await producer.sendBatch([event('round')])
  const after = (await server.admin.hub(name)).partitions.map(({ events }) => events)
  assert.deepEqual(
    after,
    before.map((count) => count + 1),
  )
})

test('the buffered producer’s events reach the partitions it chose, in order per key', async () => {
  const { name, connection } = await newHub(4)
  const failures: unknown[] = []
  const producer = new EventHubBufferedProducerClient(connection, {
    onSendEventsErrorHandler: (context) => void failures.push(context.error),
    maxWaitTimeInMs: 20,
    retryOptions,
  })
  const keys = ['a', 'b', 'c', 'd', 'e']
  for (let index = 0; index < 200; index++)
    await producer.enqueueEvent(event(String(index)), { partitionKey: keys[index % 5] ?? '' })
  await producer.close()
  assert.deepEqual(failures, [])
  const { partitions } = await server.admin.hub(name)
  assert.equal(
    partitions.reduce((sum, { events }) => sum + events, 0),
    200,
  )
  for (const key of keys) {
    const partition = String(partitionOf(key, 4))
    const events = await readFirst(connection, partitions[Number(partition)]?.events ?? 0, { partition })
    const numbers = events.map((received) => Number(text(received))).filter((index) => keys[index % 5] === key)
    assert.deepEqual(
      numbers,
      Array.from({ length: 40 }, (_, turn) => turn * 5 + keys.indexOf(key)),
    )
  }
})

test('a reader begins at the first event, after the last, or at an offset, number or time', async () => {
  const { connection } = await newHub()
  await using producer = producerOf(connection)
  for (const body of ['a', 'b', 'c', 'd']) await producer.sendBatch([event(body)])
  const events = await readFirst(connection, 4, { partition: '0' })
  const [, b] = events
  assert.ok(b !== undefined)
  const time = b.enqueuedTimeUtc.getTime() - 1
  const first = async (from: object): Promise<string> => {
    const [received] = await readFirst(connection, 1, { partition: '0', from })
    return received === undefined ? '' : text(received)
  }
  assert.equal(await first({ offset: b.offset }), 'c')
  assert.equal(await first({ offset: b.offset, isInclusive: true }), 'b')
  assert.equal(await first({ sequenceNumber: 1 }), 'c')
  assert.equal(await first({ sequenceNumber: 1, isInclusive: true }), 'b')
  const later = events.find(({ enqueuedTimeUtc }) => enqueuedTimeUtc.getTime() > time)
  assert.equal(await first({ enqueuedOn: time }), later === undefined ? '' : text(later))
  await using consumer = consumerOf(connection)
  await using latest = read(consumer, { partition: '0', from: latestEventPosition })
  await eventually('the reader is attached', async () => (await linksOf(connection)).some(({ next }) => next === 4))
  await producer.sendBatch([event('e')])
  assert.deepEqual((await latest.atLeast(1)).map(text), ['e'])
})

const linksOf = async (connection: string) => {
  const hub = /EntityPath=(.*)/.exec(connection)?.[1]
  return (await server.admin.connections()).flatMap(({ links }) => links).filter((link) => link.hub === hub)
}

test('a start beyond the end is refused, one before the retained events begins with those', async () => {
  const { name, connection } = await newHub()
  await using producer = producerOf(connection)
  await producer.sendBatch(['a', 'b', 'c'].map(event))
  await server.admin.trim(name, '0', 2)
  assert.deepEqual((await readFirst(connection, 1, { partition: '0', from: { sequenceNumber: 0 } })).map(text), ['c'])
  await using consumer = consumerOf(connection)
  await using beyond = read(consumer, { partition: '0', from: { sequenceNumber: 99 } })
  const error = await eventually('an error', () => beyond.errors[0])
  assert.match(error.message, /The last sequence number in the system is '2'/)
  assert.equal(error.code, 'ArgumentError')
})

test('a reader that tracks the end knows it, with each event', async () => {
  const { connection } = await newHub()
  await using producer = producerOf(connection)
  await producer.sendBatch(Array.from({ length: 50 }, (_, index) => event(String(index))))
  await using consumer = consumerOf(connection)
  const ends: (number | undefined)[] = []
  const subscription = consumer.subscribe(
    '0',
    {
      processEvents: async (_, { lastEnqueuedEventProperties }) =>
        void ends.push(lastEnqueuedEventProperties?.sequenceNumber),
      processError: async () => undefined,
    },
    { startPosition: { offset: '-1' }, trackLastEnqueuedEventProperties: true, maxBatchSize: 5 },
  )
  await eventually(
    'events',
    () => ends,
    ({ length }) => length >= 10,
  )
  await subscription.close()
  assert.ok(ends.every((end) => end === 49))
})

test('a higher epoch takes a partition over; the old owner gets nothing more and is told', async () => {
  const { connection } = await newHub()
  await using producer = producerOf(connection)
  await using first = consumerOf(connection)
  await using second = consumerOf(connection)
  await using old = read(first, { partition: '0', ownerLevel: 1 })
  await producer.sendBatch([event('a')])
  await old.atLeast(1)
  await using heir = read(second, { partition: '0', ownerLevel: 2, from: { sequenceNumber: 0 } })
  await eventually('the heir is attached', async () => (await linksOf(connection)).some(({ epoch }) => epoch === 2))
  await producer.sendBatch([event('b')])
  assert.deepEqual((await heir.atLeast(1)).map(text), ['b'])
  const error = await eventually('the old owner is told', () => old.errors[0])
  assert.equal(error.code, 'ReceiverDisconnectedError')
  assert.deepEqual(old.events.map(text), ['a'])
  await old.close()
  await using late = read(first, { partition: '0', ownerLevel: 1 })
  assert.equal((await eventually('the lower epoch is refused', () => late.errors[0])).code, 'ReceiverDisconnectedError')
  assert.equal(late.events.length, 0)
})

test('groups read independently; an unknown group, hub or partition is named', async () => {
  const { connection, name } = await newHub(1, ['audit'])
  await using producer = producerOf(connection)
  await producer.sendBatch([event('a')])
  await using audit = consumerOf(connection, 'AUDIT')
  await using reading = read(audit, { partition: '0' })
  await reading.atLeast(1)
  await using nobody = consumerOf(connection, 'nobody')
  await using refused = read(nobody, { partition: '0' })
  const error = await eventually('an error', () => refused.errors[0])
  assert.match(
    error.message,
    new RegExp(`The messaging entity '${name}/ConsumerGroups/nobody/Partitions/0' could not be found`),
  )
  await using nowhere = producerOf(server.connectionString('nowhere'))
  await assert.rejects(nowhere.sendBatch([event('a')]), { code: 'MessagingEntityNotFoundError' })
  await assert.rejects(nowhere.getPartitionIds(), { code: 'MessagingEntityNotFoundError' })
  await assert.rejects(producer.sendBatch([event('a')], { partitionId: '7' }), { code: 'ArgumentOutOfRangeError' })
  await assert.rejects(producer.getPartitionProperties('7'), { code: 'ArgumentOutOfRangeError' })
})

test('closing a client leaves no link behind', async () => {
  const { connection } = await newHub(2)
  const [producer, consumer] = [producerOf(connection), consumerOf(connection)]
  const reading = [read(consumer, { partition: '0', ownerLevel: 1 }), read(consumer, { partition: '1' })]
  await producer.sendBatch([event('a')])
  await eventually(
    'three links',
    () => linksOf(connection),
    ({ length }) => length === 3,
  )
  await Promise.all(reading.map((one) => one.close()))
  await Promise.all([producer.close(), consumer.close()])
  await eventually(
    'no links',
    () => linksOf(connection),
    ({ length }) => length === 0,
  )
})
