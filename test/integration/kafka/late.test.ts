/** What is made after a bridge has begun is read from its first record; `Latest` asks no clock. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../../support/eventually.ts'
import { createTopic, withAdmin } from '../../support/kafka.ts'
import { realClock } from '../../../bridge-runtime/core/clock.ts'
import { type Life, bridgeLife, hasRead, latest, numbers, readAndStop, send } from './life.ts'
import { owned, values } from './set-up.ts'
import { quickClock } from './quick-clock.ts'
import { produce } from './verify.ts'

/** The bridge is run, again and again as the engine does, until it says that its topic is not there. */
const isMissed = (life: Life, config: object): Promise<unknown> =>
  eventually('it says that the topic is missing', async () => {
    await using early = await life.start({ config })
    await early.finished
    return early.errors[0]?.reason === 'TopicNotFound'
  })

test('a name that was corrected before anything was read begins at startPosition', async () => {
  const life = await bridgeLife('typing-error')
  await createTopic(life.server, life.topic, { partitions: 1 })
  await send(life.server, life.topic, 5)
  await isMissed(life, { topics: [`${life.topic}-x`], ...latest })
  await using right = await life.start({ config: latest })
  await owned(right, 1)
  await send(life.server, life.topic, 2, 5)
  await readAndStop(right, 2)
  assert.deepEqual(values(right), ['5', '6'])
})

test('a topic that is made later is read from its first record, also where the bridge began at the latest with none', async () => {
  const life = await bridgeLife('awaited')
  const { server, topic } = life
  await isMissed(life, latest)
  await createTopic(server, topic, { partitions: 1 })
  await send(server, topic, 5)
  await using late = await life.start({ config: latest })
  await readAndStop(late, 5)
  assert.deepEqual(values(late), numbers(5))
})

test('a topic of a pattern that is made later is read from its first record, by whichever replica, running or stopped', async () => {
  const life = await bridgeLife('pattern-late')
  const { server, topic } = life
  const config = { topicsPattern: `${topic}(-.*)?`, sessionTimeout: '6s', ...latest }
  await createTopic(server, topic, { partitions: 2 })
  await send(server, topic, 5)
  await using one = await life.start({ config, clock: quickClock })
  await using two = await life.start({ config, clock: quickClock })
  await eventually('they share', () => one.readers.size === 1 && two.readers.size === 1)
  await createTopic(server, `${topic}-running`, { partitions: 3 })
  await produce(
    server,
    `${topic}-running`,
    [0, 1, 2].map((partition) => ({ value: `r${partition}`, partition })),
  )
  await eventually('all three arrive', () => one.records.length + two.records.length === 3)
  await Promise.all([one.stop(), two.stop()])
  await createTopic(server, `${topic}-stopped`, { partitions: 1 })
  await produce(server, `${topic}-stopped`, [{ value: 's' }])
  await using after = await life.start({ config })
  await readAndStop(after, 1)
  assert.deepEqual([...values(one), ...values(two)].sort(), ['r0', 'r1', 'r2'])
  assert.deepEqual(values(after), ['s'])
})

test('partitions that were added while the bridge was away are read from their first record', async () => {
  const life = await hasRead('grown', 3, latest)
  const { server, topic } = life
  await withAdmin(server, (admin) => admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] }))
  await produce(
    server,
    topic,
    [1, 2].map((partition) => ({ value: `p${partition}`, partition })),
  )
  await using after = await life.start({ config: latest })
  await readAndStop(after, 2)
  assert.deepEqual(values(after).sort(), ['p1', 'p2'])
})

for (const minutes of [-10, 10]) {
  test(`a clock that is ${minutes} minutes off skips nothing at the latest`, async () => {
    const life = await bridgeLife('clock')
    const clock = { ...realClock, now: () => realClock.now() + minutes * 60_000 }
    await createTopic(life.server, life.topic, { partitions: 1 })
    await send(life.server, life.topic, 2)
    await using reading = await life.start({ config: latest, clock })
    await owned(reading, 1)
    await send(life.server, life.topic, 3, 2)
    await readAndStop(reading, 3)
    assert.deepEqual(values(reading), ['2', '3', '4'])
  })
}
