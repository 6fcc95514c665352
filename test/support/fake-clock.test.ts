import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeClock } from './fake-clock.ts'

test('sleepers wake in the order of their time, and what follows from one runs before the next', async () => {
  const clock = fakeClock()
  const seen: string[] = []
  const note = async (name: string, milliseconds: number): Promise<void> => {
    await clock.sleep(milliseconds)
    seen.push(`${name} at ${clock.monotonic()}`)
    await Promise.resolve()
    seen.push(`${name} goes on`)
  }
  void note('late', 200)
  void note('early', 100)
  await clock.advance(150)
  assert.deepEqual(seen, ['early at 100', 'early goes on'])
  await clock.advance(50)
  assert.deepEqual(seen.slice(2), ['late at 200', 'late goes on'])
})

test('a loop sleeps as often as it would', async () => {
  const clock = fakeClock()
  let turns = 0
  const loop = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(10)
      turns++
    }
  }
  void loop()
  await clock.advance(1_000)
  assert.equal(turns, 100)
})

test('an aborted sleep ends at once and is forgotten', async () => {
  const clock = fakeClock()
  const stop = new AbortController()
  const sleeping = clock.sleep(1_000_000, stop.signal)
  assert.equal(clock.sleeping, 1)
  stop.abort()
  await sleeping
  await clock.sleep(1_000_000, stop.signal)
  assert.equal(clock.sleeping, 0)
})

test('a freeze wakes nobody in between', async () => {
  const clock = fakeClock()
  const seen: number[] = []
  for (const at of [10, 20])
    void clock.sleep(at).then(() => {
      seen.push(clock.monotonic())
    })
  await clock.freeze(5_000)
  await clock.advance(0)
  assert.deepEqual(seen, [5_000, 5_000])
})

test('a skewed wall clock does not touch durations', async () => {
  const clock = fakeClock()
  const [wall, monotonic] = [clock.now(), clock.monotonic()]
  clock.skew(-3_600_000)
  await clock.advance(1_000)
  assert.deepEqual([clock.now() - wall, clock.monotonic() - monotonic], [-3_599_000, 1_000])
})
