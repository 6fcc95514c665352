import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OpenTransaction } from './open-transaction.ts'

test('a transaction that stays open is told with the records behind it, and no longer once it has ended', () => {
  const watch = new OpenTransaction({ topic: 'orders', partition: 3 }, 'spec.source.kafka')
  watch.saw({ lastStableOffset: 10, highWatermark: 400 }, 7, 0)
  watch.saw({ lastStableOffset: 10, highWatermark: 400 }, 10, 1_000)
  assert.equal(watch.error(15_999), undefined)
  watch.saw({ lastStableOffset: 10, highWatermark: 510 }, 10, 15_000)
  const error = watch.error(16_000)
  assert.equal(error?.reason, 'OpenTransaction')
  assert.match(
    error.message,
    /topic "orders" partition 3: 500 records wait behind a transaction that is open at offset 10/,
  )
  assert.match(error.message, /spec\.source\.kafka\.isolationLevel/)
  watch.saw({ lastStableOffset: 30, highWatermark: 510 }, 30, 17_000)
  assert.equal(watch.error(17_000), undefined)
  watch.saw({ lastStableOffset: 510, highWatermark: 510 }, 510, 18_000)
  assert.equal(watch.error(60_000), undefined)
})
