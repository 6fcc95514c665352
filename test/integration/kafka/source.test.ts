import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../../support/eventually.ts'
import { createTopic, kafkaClient, withAdmin } from '../../support/kafka.ts'
import { uniqueName } from '../../support/shared-servers.ts'
import { testContext } from './harness.ts'
import { committedOffsets, produce } from './verify.ts'
import { quickClock } from './quick-clock.ts'
import { numbered, owned, received, setUp, values } from './set-up.ts'

test('records are read in order from the earliest, and from the committed position after a restart', async () => {
  const { server, topic, start } = await setUp('restart')
  await produce(server, topic, numbered(10))
  await using first = await start()
  await received(first, 10)
  await first.stop()
  await produce(server, topic, numbered(5, 10))
  await using second = await start()
  await received(second, 5)
  await second.stop()
  assert.deepEqual(
    [...values(first), ...values(second)],
    numbered(15).map(({ value }) => value),
  )
  assert.equal((await committedOffsets(server, topic, topic)).get(0), 15)
  assert.deepEqual([first.errors, second.errors], [[], []])
})

test('what was read and not settled is read again', async () => {
  const { server, topic, start } = await setUp('unsettled')
  await produce(server, topic, numbered(3))
  await using first = await start()
  await received(first, 3)
  await first.commit()
  await produce(server, topic, numbered(2, 3))
  await received(first, 5)
  const reader = first.readers.get(`${topic}/0`)
  assert.ok(reader?.settlement.kind === 'watermark')
  await reader.settlement.commit({ position: 0, ended: false })
  assert.equal((await committedOffsets(server, topic, topic)).get(0), 3, 'a commit never goes back')
  await first.stop()
})

test('a start at the latest skips what was there, and keeps that decision through a restart without a commit', async () => {
  const { server, topic, start } = await setUp('latest')
  await produce(server, topic, numbered(4))
  await using first = await start({ startPosition: { type: 'Latest' } })
  await owned(first, 1)
  await first.stop()
  await produce(server, topic, numbered(3, 4))
  await using second = await start({ startPosition: { type: 'Latest' } })
  await received(second, 3)
  await second.stop()
  assert.deepEqual(values(second), ['4', '5', '6'])
})

test('a start at a time begins with the first record that is not older', async () => {
  const { server, topic, start } = await setUp('time')
  const base = Date.parse('2026-01-31T12:00:00Z')
  for (const n of [-1, 0, 1]) await produce(server, topic, [{ value: String(n), timestamp: String(base + n) }])
  await using reading = await start({ startPosition: { type: 'Timestamp', timestamp: '2026-01-31T12:00:00Z' } })
  await received(reading, 2)
  await reading.stop()
  assert.deepEqual(values(reading), ['0', '1'])
})

test('topics of a pattern are read by their whole name, and new ones are found', async () => {
  const { server, topic, start } = await setUp('pattern')
  await createTopic(server, `${topic}-x-no`, { partitions: 1 })
  await produce(server, `${topic}-x-no`, [{ value: 'no' }])
  await produce(server, topic, [{ value: 'first' }])
  await using reading = await start(
    { topicsPattern: `${topic}(-[0-9]+)?` },
    { context: testContext({ clock: quickClock }) },
  )
  await received(reading, 1)
  await createTopic(server, `${topic}-2`, { partitions: 1 })
  await produce(server, `${topic}-2`, [{ value: 'second' }])
  await received(reading, 2)
  await reading.stop()
  assert.deepEqual(values(reading), ['first', 'second'])
  assert.equal(reading.partitions(), 2)
})

test('partitions that are added are read from their beginning', async () => {
  const { server, topic, start } = await setUp('added')
  await using reading = await start(
    { startPosition: { type: 'Latest' } },
    { context: testContext({ clock: quickClock }) },
  )
  await owned(reading, 1)
  await withAdmin(server, (admin) => admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] }))
  await produce(server, topic, [{ value: 'in 2', partition: 2 }])
  await received(reading, 1)
  await owned(reading, 3)
  assert.equal(reading.partitions(), 3)
  await reading.stop()
})

test('a partition that is not asked does not hold up the others, and is fetched once at most', async () => {
  const { server, topic, start } = await setUp('slow', 2)
  const filler = 'x'.repeat(100_000)
  for (let n = 0; n < 6; n++) await produce(server, topic, [{ value: `${n}${filler}`, partition: 0 }])
  let held = true
  await using reading = await start({}, { held: (partition) => held && partition === `${topic}/0` })
  await owned(reading, 2)
  await produce(
    server,
    topic,
    Array.from({ length: 5 }, (_, n) => ({ value: String(n), partition: 1 })),
  )
  await received(reading, 5)
  assert.deepEqual([...new Set(reading.records.map(({ partition }) => partition))], [`${topic}/1`])
  held = false
  await received(reading, 11)
  await reading.stop()
})

test('only records of committed transactions are read, and lag ends at zero behind the markers', async () => {
  const { server, topic, start } = await setUp('transactions')
  const producer = kafkaClient(server).producer({
    transactionalId: uniqueName('tx'),
    maxInFlightRequests: 1,
    idempotent: true,
  })
  await producer.connect()
  const transact = async (value: string, commit: boolean): Promise<void> => {
    const transaction = await eventually('a transaction begins', () => producer.transaction())
    await transaction.send({ topic, messages: [{ value }, { value: `${value}!` }] })
    await (commit ? transaction.commit() : transaction.abort())
  }
  await transact('a', true)
  await transact('gone', false)
  await transact('b', true)
  await transact('gone too', false)
  await using reading = await start()
  await received(reading, 4)
  assert.deepEqual(values(reading), ['a', 'a!', 'b', 'b!'])
  await reading.commit()
  await eventually(
    'lag is zero',
    () => reading.lag(`${topic}/0`),
    (lag) => lag?.kind === 'known' && lag.records === 0,
  )
  const open = await producer.transaction()
  await open.send({ topic, messages: [{ value: 'open' }] })
  await produce(server, topic, [{ value: 'behind' }])
  await using everything = await start({ consumerGroup: `${topic}-all`, isolationLevel: 'ReadUncommitted' })
  await received(everything, 10)
  assert.equal(reading.records.length, 4, 'nothing behind an open transaction')
  await eventually(
    'they count as lag',
    () => reading.lag(`${topic}/0`),
    (lag) => lag?.kind === 'known' && lag.records === 2,
  )
  await open.commit()
  await received(reading, 6)
  assert.deepEqual(values(reading).slice(4), ['open', 'behind'])
  await Promise.all([reading.stop(), everything.stop()])
  await producer.disconnect()
})

test('what held no record is committed when nothing before it is open: that it expires is no gap', async () => {
  const { server, topic, start } = await setUp('passed')
  const producer = kafkaClient(server).producer({
    transactionalId: uniqueName('tx'),
    maxInFlightRequests: 1,
    idempotent: true,
  })
  await producer.connect()
  await produce(server, topic, numbered(3))
  const consumerGroup = `${topic}-group`
  {
    await using reading = await start({ consumerGroup })
    await received(reading, 3)
    await reading.commit()
    // Behind the last record, once it is committed: only records that nobody may read, and markers.
    const transaction = await eventually('a transaction begins', () => producer.transaction())
    await transaction.send({ topic, messages: numbered(4, 3) })
    await transaction.abort()
    await eventually(
      'the group stands at the end',
      async () => (await committedOffsets(server, consumerGroup, topic)).get(0),
      (offset) => offset === 8,
    )
    await reading.stop()
  }
  await withAdmin(server, async (admin) => {
    // The client does not look up the topic by itself.
    await admin.fetchTopicMetadata({ topics: [topic] })
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '8' }] })
  })
  await produce(server, topic, numbered(1, 9))
  await using again = await start({ consumerGroup })
  await received(again, 1)
  assert.deepEqual(values(again), ['9'])
  await again.stop()
  await producer.disconnect()
})

test('lag counts what is not settled, also of a partition that is not polled', async () => {
  const { server, topic, start } = await setUp('lag')
  await produce(server, topic, numbered(3))
  await using reading = await start({}, { held: () => true, context: testContext({ clock: quickClock }) })
  await eventually(
    'the end is known',
    () => reading.lag(`${topic}/0`),
    (lag) => lag?.kind === 'known' && lag.records === 3,
  )
  await produce(server, topic, numbered(4))
  await eventually(
    'it grows',
    () => reading.lag(`${topic}/0`),
    (lag) => lag?.kind === 'known' && lag.records === 7,
  )
  await reading.stop()
})

for (const onDataGap of ['Stop', 'Continue'] as const) {
  test(`where retention ran past the position, onDataGap ${onDataGap} is obeyed`, async () => {
    const { server, topic, start } = await setUp('gap')
    await produce(server, topic, numbered(3))
    await using before = await start()
    await received(before, 3)
    await before.stop()
    await produce(server, topic, numbered(7, 3))
    await withAdmin(server, async (admin) => {
      // Makes the client know the topic.
      await admin.fetchTopicOffsets(topic)
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '6' }] })
    })
    await using after = await start({}, { context: testContext({ onDataGap }) })
    if (onDataGap === 'Continue') {
      await received(after, 4)
      assert.deepEqual(values(after), ['6', '7', '8', '9'])
    } else {
      const error = await eventually('it says so', () => after.errors[0])
      assert.deepEqual([error.kind, error.reason], ['fatal', 'DataGap'])
      assert.match(error.message, new RegExp(`"${topic}" partition 0: position 3 is gone.*the earliest record is at 6`))
      assert.equal(after.records.length, 0)
    }
    await after.stop()
  })

  test(`where the topic is deleted and made again, onDataGap ${onDataGap} is obeyed`, async () => {
    const { server, topic, start } = await setUp('recreated')
    await produce(server, topic, numbered(3))
    await using reading = await start({}, { context: testContext({ onDataGap }) })
    await received(reading, 3)
    await reading.commit()
    await withAdmin(server, (admin) => admin.deleteTopics({ topics: [topic] }))
    await eventually('it says that the topic is gone', () =>
      reading.errors.some(({ reason }) => reason === 'TopicNotFound'),
    )
    await createTopic(server, topic, { partitions: 1 })
    await produce(server, topic, numbered(6, 100))
    if (onDataGap === 'Continue') {
      await received(reading, 9)
      assert.deepEqual(
        values(reading).slice(3),
        numbered(6, 100).map(({ value }) => value),
      )
    } else {
      const error = await eventually('it says so', () => reading.errors.find(({ reason }) => reason === 'DataGap'))
      assert.match(error?.message ?? '', /deleted and made again/)
      assert.equal(reading.records.length, 3)
    }
  })
}
