import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Partitioners } from 'kafkajs'
import { murmur2, partitionOfKey, partitionOfSource } from './partitioner.ts'

test('the hash gives the reference values of the Java client', () => {
  const vectors: readonly (readonly [string, number])[] = [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ]
  for (const [key, hash] of vectors) assert.equal(murmur2(Buffer.from(key)), hash, key)
})

test('every key goes to the partition that another Java-compatible client chooses', () => {
  const theirs = Partitioners.DefaultPartitioner()
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 200 }), (bytes, count) => {
      const key = Buffer.from(bytes)
      const partitionMetadata = Array.from({ length: count }, (_, partitionId) => ({ partitionId, leader: 1 }))
      const message = { key, value: null }
      const metadata = partitionMetadata as unknown as Parameters<typeof theirs>[0]['partitionMetadata']
      return partitionOfKey(key, count) === theirs({ topic: 't', partitionMetadata: metadata, message })
    }),
  )
})

test('a source partition goes to the partition of its number, modulo theirs', () => {
  assert.equal(partitionOfSource('orders/7', 4), 3)
  assert.equal(partitionOfSource('shardId-000000000006', 4), 2)
  assert.equal(partitionOfSource('shardId-99999999999999999999', 10), 9)
})

test('a source partition without a number always goes to the same partition', () => {
  const chosen = partitionOfSource('subscription', 8)
  assert.equal(partitionOfSource('subscription', 8), chosen)
  assert.ok(chosen >= 0 && chosen < 8)
})
