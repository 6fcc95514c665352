import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { BridgeRecord } from '../../../core/contracts.ts'
import { at } from './record-batch.ts'
import { decodeRecords } from './record-decoder.ts'
import { encodeBatch, sourcePrefix } from './record-encoder.ts'

const longMax = 2n ** 63n - 1n
const longMin = -(2n ** 63n)
const now = 1_764_000_000_123

const recordAt = (timestamp: number, position = 0): BridgeRecord => ({
  key: null,
  value: Buffer.from('v'),
  headers: [],
  timestamp,
  position,
})

const encoded = (times: readonly number[]): Promise<Buffer> =>
  encodeBatch(times.map(recordAt), sourcePrefix('kafka/orders/0'), 'None')

const timesAfter = async (times: readonly number[]): Promise<readonly number[]> =>
  decodeRecords(await encoded(times)).map(({ timestamp }) => timestamp)

test('every time that Kafka can hold and a number can hold comes back as it was, whatever stands beside it in the batch', async () => {
  const time = fc.oneof(
    fc.integer({ min: -1, max: 4_102_444_800_000 }),
    fc.maxSafeInteger(),
    fc.constantFrom(-1, 0, now, 2 ** 53, -(2 ** 53), 2 ** 62, -(2 ** 62), 2 ** 63, -(2 ** 63), 2 ** 63 - 1024),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(time, { minLength: 1, maxLength: 8 }), async (times) => {
      assert.deepEqual(await timesAfter(times), times)
    }),
  )
})

test('the greatest and the smallest time of Kafka are written as themselves', async () => {
  const batch = await encoded([Number(longMax), now])
  assert.equal(batch.readBigInt64BE(at.baseTimestamp), longMax)
  assert.equal(batch.readBigInt64BE(at.maxTimestamp), longMax)
  assert.equal((await encoded([Number(longMin)])).readBigInt64BE(at.baseTimestamp), longMin)
})

test('a time that Kafka has no room for is the nearest one it has, and what is no time is none', async () => {
  const [beyond, before, none, between] = await timesAfter([Infinity, -1e300, Number.NaN, 1.9])
  assert.deepEqual([beyond, before, none, between], [2 ** 63, -(2 ** 63), -1, 1])
})

test('a sound time beside an extreme one is read to the millisecond', async () => {
  // As the Java client writes it: the delta is the difference of two longs, wrapped to 64 bits.
  const batch = await encoded([Number(longMax), now, -1])
  assert.deepEqual(
    decodeRecords(batch).map(({ timestamp }) => timestamp),
    [2 ** 63, now, -1],
  )
})
