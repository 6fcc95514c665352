import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TopicPlace } from './cluster.ts'
import { metadataOf, startOf } from './start.ts'

const topic = (id: string, count: number): TopicPlace => ({
  name: 'orders',
  id,
  internal: false,
  partitions: Array.from({ length: count }, () => ({ leader: 1, leaderEpoch: 0 })),
})
const at = (offset: number, metadata: string) => ({ offset, metadata })

test('a committed position wins over the start position', () => {
  const committed = new Map([['orders/0', at(7, metadataOf('id', 1))]])
  assert.deepEqual(startOf(0, topic('id', 1), committed, { type: 'Latest' }), { kind: 'committed', offset: 7 })
})

test('a position that another program committed is taken as it is', () => {
  assert.deepEqual(startOf(0, topic('id', 1), new Map([['orders/0', at(7, '')]]), { type: 'Latest' }), {
    kind: 'committed',
    offset: 7,
  })
})

test('a position of a deleted topic of the same name is not one of this topic', () => {
  const committed = new Map([['orders/0', at(7, metadataOf('old', 1))]])
  assert.deepEqual(startOf(0, topic('new', 1), committed, { type: 'Earliest' }), { kind: 'recreated', offset: 7 })
})

test('without a position the spec says where to start', () => {
  const none = new Map()
  assert.deepEqual(startOf(0, topic('id', 2), none, { type: 'Earliest' }), { kind: 'at', time: -2n })
  assert.deepEqual(startOf(0, topic('id', 2), none, { type: 'Latest' }), { kind: 'at', time: -1n })
  const timestamp = '2026-01-31T12:00:00Z'
  assert.deepEqual(startOf(0, topic('id', 2), none, { type: 'Timestamp', timestamp }), {
    kind: 'at',
    time: BigInt(Date.parse(timestamp)),
  })
})

test('a partition that was added later is read from its beginning, even where the bridge began at the latest', () => {
  const committed = new Map([['orders/0', at(7, metadataOf('id', 2))]])
  assert.deepEqual(startOf(2, topic('id', 3), committed, { type: 'Latest' }), { kind: 'at', time: -2n })
  assert.deepEqual(startOf(1, topic('id', 3), committed, { type: 'Latest' }), { kind: 'at', time: -1n })
})
