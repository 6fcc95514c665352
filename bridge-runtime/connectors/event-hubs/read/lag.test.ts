import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PartitionLag } from './lag.ts'

test('a lag is unknown until both the end and the place are known', () => {
  const lag = new PartitionLag(undefined)
  assert.equal(lag.at(0).kind, 'unknown')
  lag.ends(10, 0)
  assert.equal(lag.at(0).kind, 'unknown')
  lag.begins(-1)
  assert.deepEqual(lag.at(0), { kind: 'known', records: 11 })
})

test('a lag is what is stored and not committed, and none in an empty partition', () => {
  const lag = new PartitionLag(4)
  lag.ends(10, 0)
  assert.deepEqual(lag.at(0), { kind: 'known', records: 6 })
  lag.begins(0)
  lag.committed(10)
  assert.deepEqual(lag.at(0), { kind: 'known', records: 0 })
  const empty = new PartitionLag(undefined)
  empty.ends(-1, 0)
  empty.begins(-1)
  assert.deepEqual(empty.at(0), { kind: 'known', records: 0 })
})

test('a lag is unknown again when the service has told nothing for a minute', () => {
  const lag = new PartitionLag(4)
  lag.ends(10, 1_000)
  assert.equal(lag.at(61_000).kind, 'known')
  assert.equal(lag.at(61_001).kind, 'unknown')
})
