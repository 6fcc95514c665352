import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Throttle } from './throttle.ts'

test('a hub takes a second’s worth at once and then its rate', () => {
  const throttle = new Throttle({ ingressEvents: 100 }, 0)
  assert.deepEqual(
    [throttle.admits(1, 100, 0), throttle.admits(1, 1, 0), throttle.admits(1, 10, 100)],
    [true, false, true],
  )
})

test('a batch bigger than a second’s worth passes, and is paid for by those after it', () => {
  const throttle = new Throttle({ ingressBytes: 1_000 }, 0)
  assert.ok(throttle.admits(3_000, 1, 0))
  assert.ok(!throttle.admits(1, 1, 2_000))
  assert.ok(throttle.admits(1, 1, 2_100))
})

test('a reader is told how long to wait', () => {
  const throttle = new Throttle({ egressBytes: 1_000 }, 0)
  throttle.egress(1_500, 0)
  assert.equal(throttle.egressWait(0), 501)
  assert.equal(throttle.egressWait(501), 0)
})

test('without limits everything passes', () => {
  const throttle = new Throttle({}, 0)
  assert.ok(throttle.admits(1e12, 1e9, 0))
  assert.equal(throttle.egressWait(0), 0)
})
