import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashOfKey, partitionOf } from './partition-key.ts'

/** Computed by the hash inside the vendor's own client: key, hash, partition of 4, partition of 32. */
const vectors: readonly [string, number, number, number][] = [
  ['', 0, 0, 0],
  ['a', -16220, 0, 28],
  ['ab', 2093, 1, 13],
  ['abc', -14161, 1, 17],
  ['abcd', 23398, 2, 6],
  ['alphabet', -23478, 2, 22],
  ['TestString', -3619, 3, 3],
  ['hello world!', 16188, 0, 28],
  ['0123456789ab', -17054, 2, 30],
  ['0123456789abc', -4167, 3, 7],
  ['order-42', -20819, 3, 19],
  ['7149583486996073602', 12977, 1, 17],
  ['été', 7930, 2, 26],
  ['日本語のキー', 18957, 1, 13],
  ['x'.repeat(100), 25862, 2, 6],
  ['FaQfhHRdREpzFaJyrPqK', 13547, 3, 11],
]

test('a key goes to the partition the service would choose', () => {
  for (const [key, hash, ofFour, ofThirtyTwo] of vectors) {
    const bytes = Buffer.from(key)
    assert.deepEqual(
      [hashOfKey(bytes), partitionOf(bytes, 4), partitionOf(bytes, 32)],
      [hash, ofFour, ofThirtyTwo],
      JSON.stringify(key),
    )
  }
})
