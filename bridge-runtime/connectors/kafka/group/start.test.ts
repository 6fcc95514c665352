import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blank, type HistoryContent, type KnownStream } from '../../../history/content.ts'
import type { TopicPlace } from '../cluster/cluster.ts'
import { earliest, latest } from '../cluster/offsets.ts'
import { metadataOf, readMetadata } from './position-tag.ts'
import { fittingUnremembered, isEdited, legacyOf, startOf } from './start.ts'

const topic = (id: string, count: number): TopicPlace => ({
  name: 'orders',
  id,
  internal: false,
  partitions: Array.from({ length: count }, () => ({ leader: 1, leaderEpoch: 0 })),
})
const tag = (topicId: string, partitions = 1, generation = 1): string => metadataOf({ topicId, partitions, generation })
const at = (offset: number, metadata: string) => ({ offset, metadata })

/** A bridge that began at the latest, with one partition of `id`, which it has begun. */
const history = (orders: Partial<KnownStream> = {}, generation = 1): HistoryContent => ({
  ...blank,
  generation,
  start: 'Latest',
  streams: { 'topic orders': { birth: 'id', found: 1, begun: ['0'], ...orders } },
})
const other: HistoryContent = { ...blank, start: 'Latest', streams: { 'topic other': { found: 1, begun: ['0'] } } }

test('a committed position wins over everything that is remembered', () => {
  const start = { kind: 'committed', offset: 7, generation: 1, byHand: false }
  for (const content of [history(), history({ begun: [] }), other, history({ birth: 'another' })])
    assert.deepEqual(startOf(0, topic('id', 1), at(7, tag('id')), content), start)
})

test('a position that another program set is a decision, also where another one was missed', () => {
  const start = { kind: 'committed', offset: 7, generation: 3, byHand: true }
  assert.deepEqual(startOf(0, topic('id', 1), at(7, ''), history({}, 3)), start)
  assert.deepEqual(startOf(0, topic('new', 1), at(7, ''), history({}, 3)), start)
})

test('a position of before a person began anew counts for nothing', () => {
  const start = { kind: 'at', time: latest, renews: false }
  assert.deepEqual(startOf(0, topic('id', 1), at(7, tag('id')), history({ begun: [] }, 2)), start)
  assert.deepEqual(startOf(0, topic('id', 1), at(7, tag('old')), history({ begun: [] }, 2)), start)
})

test('a position of a deleted topic of the same name is a gap', () => {
  const start = startOf(0, topic('new', 1), at(7, tag('id')), history())
  assert.equal(start.kind, 'gap')
  assert.match(start.kind === 'gap' ? start.detail : '', /position 7 is of another topic.*id id, now new/)
})

test('a topic made again is a gap also where the broker has dropped its positions, for each of its partitions', () => {
  for (const partition of [0, 1]) {
    const start = startOf(partition, topic('new', 2), undefined, history())
    assert.deepEqual([start.kind, start.kind === 'gap' && start.renews], ['gap', true])
  }
})

test('a topic made again before anything of it was read is a topic made later', () => {
  const start = startOf(0, topic('new', 1), undefined, history({ begun: [] }))
  assert.deepEqual(start, { kind: 'at', time: earliest, renews: true })
})

test('once a person has decided to go on with a topic made again, positions of the old one count for nothing', () => {
  const decided = history({ birth: 'new', found: 0, begun: [] })
  const start = { kind: 'at', time: earliest, renews: false }
  assert.deepEqual(startOf(0, topic('new', 1), at(7, tag('id')), decided), start)
})

test('a position that is missing where there was one is a gap', () => {
  const start = startOf(0, topic('id', 1), undefined, history())
  assert.match(start.kind === 'gap' ? start.detail : '', /has no position of it any more: it expired/)
})

test('the history says where a partition begins that was there from the beginning', () => {
  const content = { ...history({ begun: [] }) }
  const started = (start: string) => startOf(0, topic('id', 1), undefined, { ...content, start })
  const time = '2026-01-31T12:00:00Z'
  assert.deepEqual(started('Earliest'), { kind: 'at', time: earliest, renews: false })
  assert.deepEqual(started('Latest'), { kind: 'at', time: latest, renews: false })
  assert.deepEqual(started(time), { kind: 'at', time: BigInt(Date.parse(time)), renews: false })
})

test('a partition, or a topic, that is made later is read from its first record', () => {
  const start = { kind: 'at', time: earliest, renews: false }
  assert.deepEqual(startOf(1, topic('id', 2), undefined, history()), start)
  assert.deepEqual(startOf(0, topic('id', 1), undefined, other), start)
  const awaited = { ...blank, start: 'Latest', streams: { 'topic orders': { found: 0, begun: [] } } }
  assert.deepEqual(startOf(0, topic('id', 1), undefined, awaited), start)
})

test('while nobody can say what the bridge remembers, only a position of its own is gone on with', () => {
  const own = { kind: 'committed', offset: 7, generation: 2, byHand: false }
  assert.deepEqual(fittingUnremembered(topic('id', 1), at(7, tag('id', 1, 2))), own)
  for (const committed of [undefined, at(7, ''), at(7, tag('old'))])
    assert.equal(fittingUnremembered(topic('id', 1), committed), undefined)
})

test('positions of an older version are taken over with the topic they say', () => {
  const committed = new Map([
    ['orders/0', at(7, 'streambridge/1 old 2')],
    ['orders/1', at(9, '')],
  ])
  assert.deepEqual(legacyOf([topic('id', 3)], committed, 1), {
    generation: 1,
    streams: { 'topic orders': { birth: 'old', found: 2, begun: ['0'] } },
  })
  assert.equal(legacyOf([topic('id', 3)], committed, 2), undefined, 'a reset makes them count for nothing')
  assert.equal(legacyOf([topic('id', 3)], new Map([['orders/1', at(9, '')]]), 1), undefined, 'set by hand')
})

test('a bridge that is made again goes on in the generation of its positions', () => {
  const committed = new Map([
    ['orders/0', at(7, tag('id', 2, 4))],
    ['orders/1', at(7, tag('id', 2, 3))],
  ])
  assert.deepEqual(legacyOf([topic('id', 2)], committed, 1), {
    generation: 4,
    streams: { 'topic orders': { birth: 'id', found: 2, begun: ['0'] } },
  })
})

test('a source is edited when none of what it read is named any more', () => {
  const names = (...selected: string[]) => isEdited(history(), (name) => selected.includes(name))
  assert.deepEqual([names('other'), names('other', 'orders'), names('orders')], [true, false, false])
  assert.equal(
    isEdited({ ...blank, start: 'Latest' }, () => false),
    false,
    'nothing was found yet',
  )
})

test('what is written beside a position is read again, whatever version wrote it', () => {
  const written = { topicId: 'id', partitions: 3, generation: 2 }
  assert.deepEqual(readMetadata(metadataOf(written)), written)
  assert.deepEqual(readMetadata('streambridge/1 id 3'), { ...written, generation: 1 })
  for (const foreign of ['', 'streambridge/2 id 3', 'streambridge/3 id 3 1'])
    assert.equal(readMetadata(foreign), undefined)
})
