import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Arrivals } from './arrivals.ts'
import { UnreadableEvent } from '../amqp/decoding.ts'
import type { IncomingEvent } from './incoming.ts'

const event = (sequenceNumber: number, bytes: number): IncomingEvent => ({
  sequenceNumber,
  enqueued: sequenceNumber,
  last: undefined,
  encoded: Buffer.alloc(bytes),
  layout: new UnreadableEvent('not looked at', {}),
})

test('small events are asked for by the thousand, large ones one by one', () => {
  const arrivals = new Arrivals()
  assert.ok(arrivals.room(0) < 1_000, 'of unknown size fewer')
  for (let at = 0; at < 5_000; at += 1) {
    arrivals.add(event(at, 200))
    arrivals.take()
  }
  assert.equal(arrivals.room(0), 1_000)
  arrivals.add(event(5_000, 2_000_000))
  arrivals.take()
  assert.equal(arrivals.room(0), 1)
})

test('what was asked for and what waits count, and nothing is asked for in dribbles', () => {
  const arrivals = new Arrivals()
  const most = arrivals.room(0)
  assert.equal(arrivals.room(most), 0)
  assert.equal(arrivals.room(most - 1), 0)
  assert.equal(arrivals.room(0), most)
  for (let at = 0; at < most; at += 1) arrivals.add(event(at, 16 * 1024))
  assert.equal(arrivals.room(0), 0)
})

test('a stretch of events much larger than those before is cut off', () => {
  const arrivals = new Arrivals()
  for (let at = 0; at < 8; at += 1) arrivals.add(event(at, 1_000_000))
  assert.equal(arrivals.full, false)
  arrivals.add(event(8, 1_000_000))
  assert.equal(arrivals.full, true)
  arrivals.take()
  assert.equal(arrivals.full, false)
})

test('what is taken is in order, told by its first and last', () => {
  const arrivals = new Arrivals()
  for (let at = 3; at < 6; at += 1) arrivals.add(event(at, 10))
  const batch = arrivals.take()
  assert.deepEqual([batch?.count, batch?.bytes, batch?.first, batch?.last, batch?.lastTimestamp], [3, 30, '3', '5', 5])
  assert.equal(arrivals.take(), undefined)
})
