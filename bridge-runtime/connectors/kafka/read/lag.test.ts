import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LagMeter } from './lag.ts'

test('lag is unknown until the end of the partition is known', () => {
  assert.equal(new LagMeter(5).lag(0).kind, 'unknown')
})

test('lag is the distance from the settled position to the end', () => {
  const meter = new LagMeter(5)
  meter.endIs(25)
  assert.deepEqual(meter.lag(0), { kind: 'known', records: 20 })
  meter.settledTo(25)
  assert.deepEqual(meter.lag(0), { kind: 'known', records: 0, seconds: 0 })
})

test('seconds are the age of the oldest open batch, and absent while nothing was read', () => {
  const meter = new LagMeter(0)
  meter.endIs(10)
  meter.handedOut(3, 1_000)
  meter.handedOut(7, 4_000)
  assert.deepEqual(meter.lag(9_000), { kind: 'known', records: 10, seconds: 8 })
  meter.settledTo(4)
  assert.deepEqual(meter.lag(9_000), { kind: 'known', records: 6, seconds: 5 })
  meter.settledTo(8)
  assert.deepEqual(meter.lag(9_000), { kind: 'known', records: 2 })
})

test('a clock that is behind the record makes no negative lag', () => {
  const meter = new LagMeter(0)
  meter.endIs(10)
  meter.handedOut(3, 5_000)
  assert.deepEqual(meter.lag(1_000), { kind: 'known', records: 10, seconds: 0 })
})

test('a batch whose time is not known makes no lag in seconds', () => {
  const meter = new LagMeter(0)
  meter.endIs(10)
  meter.handedOut(3, 0)
  assert.deepEqual(meter.lag(9_000), { kind: 'known', records: 10 })
  meter.handedOut(7, 4_000)
  assert.deepEqual(meter.lag(9_000), { kind: 'known', records: 10, seconds: 5 })
})
