/** A position belongs to one topic, and a bridge that has read once never begins as if it were new. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cluster } from '../../../bridge-runtime/connectors/kafka/cluster/cluster.ts'
import { BridgeError } from '../../../bridge-runtime/core/errors.ts'
import type { LeaseStore } from '../../../bridge-runtime/lease-stores/lease-store.ts'
import { eventually } from '../../support/eventually.ts'
import { createTopic, withAdmin } from '../../support/kafka.ts'
import {
  bridgeLife,
  expireOffsets,
  gapOf,
  halts,
  hasRead,
  latest,
  numbers,
  readAndStop,
  recreateTopic,
  send,
  setOffset,
} from './life.ts'
import { owned, received, values } from './set-up.ts'
import { quickClock } from './quick-clock.ts'
import { committedOffsets, produce } from './verify.ts'

for (const type of ['Latest', 'Earliest']) {
  test(`offsets that expired while the bridge was stopped are a gap, with startPosition ${type}`, async () => {
    const config = { startPosition: { type } }
    const life = await hasRead('expired', 10, config)
    await expireOffsets(life.server, life.topic)
    await send(life.server, life.topic, 5, 10)
    await halts(life, /consumer group has no position of it any more: it expired \(offsets.retention.minutes\)/, config)
    await using decided = await life.start({ config, onDataGap: 'Continue' })
    await received(decided, 35)
    assert.deepEqual(values(decided), [...numbers(15), ...numbers(20, 1_000)])
    await decided.stop()
    assert.equal((await committedOffsets(life.server, life.topic, life.topic)).get(0), 35)
    await send(life.server, life.topic, 1, 35)
    await using after = await life.start({ config })
    await readAndStop(after, 1)
    assert.deepEqual([values(after), after.errors], [['35'], []])
  })
}

test('a reset begins at startPosition, once, also where offsets had expired', async () => {
  const life = await hasRead('reset', 10)
  await expireOffsets(life.server, life.topic)
  await halts(life, /no position/)
  await using reset = await life.start({ reset: 'monday' })
  await received(reset, 30)
  await reset.stop()
  assert.deepEqual(values(reset), [...numbers(10), ...numbers(20, 1_000)])
  await send(life.server, life.topic, 1, 30)
  await using again = await life.start({ reset: 'monday' })
  await readAndStop(again, 1)
  await using latestNow = await life.start({ reset: 'tuesday', config: latest })
  await owned(latestNow, 1)
  await send(life.server, life.topic, 1, 31)
  await readAndStop(latestNow, 1)
  assert.deepEqual([values(again), values(latestNow)], [['30'], ['31']])
})

test('a reset counts for positions that are there, too', async () => {
  const life = await hasRead('rewind', 10)
  await using reset = await life.start({ reset: 'monday' })
  await readAndStop(reset, 10)
  assert.deepEqual(values(reset), numbers(10))
})

test('a position that a person sets by hand resolves a gap', async () => {
  const life = await hasRead('by-hand', 10, latest)
  await expireOffsets(life.server, life.topic)
  await halts(life, /set the consumer group's offsets by hand/, latest)
  await setOffset(life.server, { group: life.topic, topic: life.topic, offset: 7 })
  await using decided = await life.start({ config: latest })
  await readAndStop(decided, 23)
  assert.deepEqual(values(decided), [...numbers(3, 7), ...numbers(20, 1_000)])
})

for (const how of ['running', 'stopped']) {
  test(`a topic that is made again while the bridge is ${how} is a gap that stays, until it is to go on`, async () => {
    const life = await bridgeLife('made-again')
    const { server, topic } = life
    await createTopic(server, topic, { partitions: 1 })
    await using first = await life.start({ config: latest })
    await owned(first, 1)
    await send(server, topic, 10)
    await received(first, 10)
    await first.commit()
    if (how === 'stopped') await first.stop()
    await recreateTopic(life.server, life.topic)
    await send(server, topic, 20, 100)
    if (how === 'running') await gapOf(first)
    await first.stop()
    assert.deepEqual(values(first), numbers(10))
    await halts(life, /made again/, latest)
    await using decided = await life.start({ config: latest, onDataGap: 'Continue' })
    await readAndStop(decided, 40)
    assert.deepEqual(values(decided), [...numbers(20, 100), ...numbers(20, 1_000)])
    await using after = await life.start({ config: latest })
    await owned(after, 1)
    await send(server, topic, 1)
    await readAndStop(after, 1)
    assert.deepEqual([values(after), after.errors], [['0'], []])
  })
}

test('positions of an older version are taken over once, with the topic that they say', async () => {
  const life = await bridgeLife('old-version')
  const { server, topic } = life
  await createTopic(server, topic, { partitions: 2 })
  await using cluster = new Cluster({ clientId: 'id', bootstrapServers: [server], connection: {} })
  const [place] = (await cluster.metadata([topic])).topics
  await produce(
    server,
    topic,
    numbers(10).map((value) => ({ value, partition: 0 })),
  )
  await produce(server, topic, [{ value: 'added later', partition: 1 }])
  await setOffset(server, { group: topic, topic, offset: 4, metadata: `streambridge/1 ${place?.id} 1` })
  await using taken = await life.start({ config: latest })
  await received(taken, 7)
  await taken.stop()
  assert.deepEqual(values(taken).sort(), ['4', '5', '6', '7', '8', '9', 'added later'])
  const other = await bridgeLife('other-id')
  await createTopic(server, other.topic, { partitions: 1 })
  await setOffset(server, { group: other.topic, topic: other.topic, offset: 4, metadata: 'streambridge/1 another 1' })
  await halts(other, /position 4 is of another topic of this name/)
})

test('one topic of two that is made again does not hold up the other', async () => {
  const life = await hasRead('one-of-two', 3)
  const { server, topic } = life
  const topics = [topic, `${topic}-other`]
  await createTopic(server, `${topic}-other`, { partitions: 1 })
  await using both = await life.start({ config: { topics } })
  await send(server, `${topic}-other`, 2, 50)
  await readAndStop(both, 2)
  await recreateTopic(life.server, life.topic)
  await send(server, topic, 5, 100)
  await send(server, `${topic}-other`, 2, 52)
  await using halted = await life.start({ config: { topics } })
  await gapOf(halted)
  await readAndStop(halted, 2)
  assert.deepEqual([values(both), values(halted)], [numbers(2, 50), numbers(2, 52)])
  await using decided = await life.start({ config: { topics }, onDataGap: 'Continue' })
  await readAndStop(decided, 5)
  assert.deepEqual(values(decided), numbers(5, 100))
})

test('a source that is edited to another topic is a gap that names the old one, until it is to go on', async () => {
  const life = await hasRead('edited', 10)
  const { server, topic } = life
  const config = { topics: [`${topic}-b`], ...latest }
  await createTopic(server, `${topic}-b`, { partitions: 1 })
  await send(server, `${topic}-b`, 5, 500)
  await halts(life, new RegExp(`the bridge has read "${topic}" so far, and spec.source.kafka names none`), config)
  await using decided = await life.start({ config, onDataGap: 'Continue' })
  await readAndStop(decided, 5)
  assert.deepEqual(values(decided), numbers(5, 500))
})

test('a source that is edited back goes on where it was', async () => {
  const life = await hasRead('edited-back', 10)
  await createTopic(life.server, `${life.topic}-b`, { partitions: 1 })
  await halts(life, /has read/, { topics: [`${life.topic}-b`] })
  await halts(life, /no position of it/, { consumerGroup: `${life.topic}-other` })
  await using back = await life.start()
  await readAndStop(back, 40)
  assert.deepEqual(back.errors, [])
})

test('a position beyond the end is a gap that stays when the partition has grown past it', async () => {
  const life = await hasRead('cut', 3)
  const { server, topic } = life
  await setOffset(server, { group: topic, topic, offset: 10 })
  await using first = await life.start()
  await gapOf(first)
  await first.stop()
  await send(server, topic, 20, 3)
  await halts(life, /position 10 is gone, it is out of range/)
  await using decided = await life.start({ onDataGap: 'Continue' })
  await readAndStop(decided, 43)
  assert.deepEqual(values(decided), [...numbers(23), ...numbers(20, 1_000)])
})

/** Away until told otherwise. */
function unreliable(store: LeaseStore): { readonly store: LeaseStore; away: boolean } {
  const state = {
    away: true,
    store: {
      ...store,
      create: (partition: string) =>
        state.away
          ? Promise.reject(new BridgeError('the store is away', { kind: 'retryable', reason: 'LeaseStoreUnavailable' }))
          : store.create(partition),
    },
  }
  return state
}

test('records keep moving while nobody can say what was read before, where the positions fit', async () => {
  const life = await hasRead('store-away', 3)
  const state = unreliable(life.store)
  await send(life.server, life.topic, 2, 3)
  await using reading = await life.start({ store: state.store, clock: quickClock })
  await received(reading, 2)
  await withAdmin(life.server, (admin) =>
    admin.createPartitions({ topicPartitions: [{ topic: life.topic, count: 2 }] }),
  )
  await produce(life.server, life.topic, [{ value: 'new', partition: 1 }])
  await eventually('it says why the new partition waits', () =>
    reading.connections.some((error) => error?.reason === 'LeaseStoreUnavailable'),
  )
  state.away = false
  await received(reading, 3)
  await reading.stop()
  assert.deepEqual(values(reading), ['3', '4', 'new'])
})
