import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ShardLag } from './lag.ts'

const interval = 1_000

test('a shard that is read to its end, all of it committed, has no lag', () => {
  const lag = new ShardLag(interval)
  lag.read(0, 0, { last: '7', arrived: 500, firstArrived: 400 })
  lag.committed('7')
  assert.deepEqual(lag.at(interval), { kind: 'known', seconds: 0 })
})

test('a shard that was read to its end and is not asked any more falls behind', () => {
  const lag = new ShardLag(interval)
  lag.read(0, 0, { last: '7', arrived: 500, firstArrived: 400 })
  lag.committed('7')
  assert.deepEqual(lag.at(10_000), { kind: 'known', seconds: 10 })
  lag.read(10_500, 0, undefined)
  assert.deepEqual(lag.at(10_500), { kind: 'known', seconds: 0 })
})
