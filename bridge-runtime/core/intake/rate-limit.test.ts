import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../../../test/support/eventually.ts'
import { type FakeClock, fakeClock } from '../../../test/support/fake-clock.ts'
import { memoryEngine } from '../../../test/support/memory/engine.ts'
import { MemorySink } from '../../../test/support/memory/sink.ts'
import { MemoryLog, MemorySource } from '../../../test/support/memory/source.ts'
import { liveness, readiness } from '../../observability/health.ts'
import { RateLimit } from './rate-limit.ts'

function filled(partitions: number, records: number): MemoryLog {
  const log = new MemoryLog(partitions)
  for (let partition = 0; partition < partitions; partition += 1)
    for (let offset = 0; offset < records; offset += 1)
      log.append(partition, `${partition}/${offset % 3}`, `${partition}/${offset}`)
  return log
}

/** Moves the clock in steps of 50 ms and counts what each brought, once all that follows from it has happened. */
async function stepwise(clock: FakeClock, steps: number, stored: () => number): Promise<number[]> {
  const counts: number[] = []
  for (let step = 0; step < steps; step += 1) {
    const before = stored()
    await clock.advance(50)
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    counts.push(stored() - before)
  }
  return counts
}

/** Sums of every twenty steps in a row: of each second, wherever it begins. */
const seconds = (counts: readonly number[]): number[] =>
  counts.slice(19).map((_, at) => counts.slice(at, at + 20).reduce((sum, count) => sum + count, 0))

for (const [partitions, batch] of [
  [1, 6_030],
  [1, 7],
  [16, 1_000],
] as const) {
  test(`a limit of 200 records per second holds in every second, with ${partitions} partitions and batches of ${batch}`, async () => {
    const clock = fakeClock()
    const log = filled(partitions, 6_030)
    const sink = new MemorySink({ limits: { maxRecords: 500, maxBytes: 1e6 } })
    const stop = new AbortController()
    const engine = memoryEngine(new MemorySource(log, { batch }), sink, {
      clock,
      maxRecordsPerSecond: 200,
      maxInFlightBytes: 32_000_000,
    })
    const running = engine.run(stop.signal)
    await eventually('it runs', () => engine.pumps.length === partitions)
    const each = seconds(await stepwise(clock, 200, () => sink.stored.length))
    assert.ok(Math.max(...each) <= 260, `at most ${Math.max(...each)} in a second`)
    assert.ok(Math.min(...each.slice(20)) >= 150, `at least ${Math.min(...each.slice(20))} in a second`)
    const moved = Map.groupBy(sink.stored, ({ value }) => `${value}`.split('/')[0]).size
    assert.equal(moved, partitions, 'every partition has its part')
    stop.abort()
    await running
  })
}

test('a stop in the middle of a batch commits what was moved, loses nothing and repeats nothing', async () => {
  const clock = fakeClock()
  const log = filled(1, 1_000)
  const sink = new MemorySink()
  const stop = new AbortController()
  const engine = memoryEngine(new MemorySource(log, { batch: 1_000 }), sink, { clock, maxRecordsPerSecond: 100 })
  const running = engine.run(stop.signal)
  await eventually('it runs', () => engine.pumps.length === 1)
  await stepwise(clock, 60, () => sink.stored.length)
  stop.abort()
  await running
  const { length } = sink.stored
  assert.ok(length > 200 && length < 400, `${length} records moved in three seconds`)
  assert.equal(log.committed[0], length)
  assert.equal(engine.abandoned, 0, 'what was not sent was not given up')
  const rest = new MemorySink()
  await memoryEngine(new MemorySource(log, { finite: true }), rest).run(new AbortController().signal)
  assert.deepEqual(
    [...sink.stored, ...rest.stored].map(({ position }) => Number(position)).sort((a, b) => a - b),
    [...Array(1_000).keys()],
  )
})

test('without a limit all may go at once', async () => {
  const limit = new RateLimit(Number.POSITIVE_INFINITY, fakeClock())
  assert.equal(await limit.take(1_000_000, new AbortController().signal), 1_000_000)
})

test('who waits for the rate stops waiting when told to, and those behind it have its turn', async () => {
  const clock = fakeClock()
  const limit = new RateLimit(1, clock)
  const stopped = new AbortController()
  await limit.take(1, new AbortController().signal)
  const given = limit.take(5, stopped.signal)
  await clock.advance(100)
  stopped.abort()
  assert.equal(await given, 0)
  const next = limit.take(5, new AbortController().signal)
  await clock.advance(1_000)
  assert.equal(await next, 1)
})

test('a pause saves up a quarter of a second at most', async () => {
  const clock = fakeClock()
  const limit = new RateLimit(1_000, clock)
  await clock.advance(60_000)
  let taken = 0
  const stop = new AbortController()
  const taking = (async () => {
    while (!stop.signal.aborted) taken += await limit.take(10_000, stop.signal)
  })()
  await clock.advance(1_000)
  stop.abort()
  await taking
  assert.ok(taken >= 1_000 && taken <= 1_350, `${taken} records in a second`)
})

test('what the rate holds back of a large batch takes no room from other partitions, and is no reason for a restart', async () => {
  const clock = fakeClock()
  const log = filled(2, 6_000)
  const sink = new MemorySink({ limits: { maxRecords: 500, maxBytes: 1e6 } })
  const stop = new AbortController()
  // A batch of 6,000 records takes more than all partitions together may hold.
  const engine = memoryEngine(new MemorySource(log, { batch: 6_000 }), sink, {
    clock,
    maxRecordsPerSecond: 50,
    maxInFlightBytes: 1_000,
  })
  const running = engine.run(stop.signal)
  await stepwise(clock, 20 * 60, () => sink.stored.length)
  const of = (partition: number): number =>
    sink.stored.filter(({ value }) => `${value}`.startsWith(`${partition}/`)).length
  await stepwise(clock, 20 * 120, () => sink.stored.length)
  assert.ok(of(0) > 3_000 && of(1) > 3_000, `${of(0)} and ${of(1)} records of 9,000 in three minutes`)
  assert.deepEqual(liveness(engine, clock.monotonic()), { ok: true, message: 'ok' })
  assert.deepEqual(readiness(engine, clock.monotonic()), { ok: true, message: 'ok' })
  stop.abort()
  await clock.advance(0)
  await running
})

test('a sink that stands still under a rate is told as what it is, whatever the rate still holds back', async () => {
  const clock = fakeClock()
  const log = filled(1, 6_000)
  const gate = Promise.withResolvers<void>()
  const sink = new MemorySink({ gate: () => gate.promise })
  const stop = new AbortController()
  const engine = memoryEngine(new MemorySource(log, { batch: 6_000 }), sink, {
    clock,
    maxRecordsPerSecond: 50,
    maxInFlightBytes: 1_000,
  })
  const running = engine.run(stop.signal)
  await stepwise(clock, 20 * 150, () => 0)
  assert.match(readiness(engine, clock.monotonic()).message, /records wait and none has moved/)
  assert.equal(liveness(engine, clock.monotonic()).ok, false)
  gate.resolve()
  stop.abort()
  await clock.advance(0)
  await running
})
