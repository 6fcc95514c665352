import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { fakeClock, type FakeClock } from '../../test/support/fake-clock.ts'
import { memoryEngine } from '../../test/support/memory/engine.ts'
import { MemorySink } from '../../test/support/memory/sink.ts'
import { MemoryLog, MemorySource } from '../../test/support/memory/source.ts'
import { keepRunning } from '../../test/support/running-engine.ts'
import { progressLine } from '../../cli/progress.ts'
import type { Engine, EngineOptions } from '../core/engine.ts'
import { liveness, readiness } from './health.ts'
import { report } from './report.ts'

const identity = { version: '0', replica: 'r', configHash: '' }

interface World {
  readonly engine: Engine
  readonly clock: FakeClock
  readonly stillIn: () => readonly (string | undefined)[]
}

/** Two partitions of 20 records; the sink lets partition 1 through and holds partition 0. */
function aWorld(t: TestContext, options: Partial<EngineOptions> = {}): World {
  const clock = fakeClock()
  const log = new MemoryLog(2)
  for (const partition of [0, 1])
    for (let offset = 0; offset < 20; offset += 1) log.append(partition, 'k', `${partition}/${offset}`)
  const release = Promise.withResolvers<void>()
  t.after(() => release.resolve())
  const sink = new MemorySink()
  const write = sink.write.bind(sink)
  sink.write = async (batch) => {
    if (batch.partition === 'memory/0') await release.promise
    return write(batch)
  }
  const engine = memoryEngine(new MemorySource(log), sink, { clock, sinkLanes: 1, drainTimeout: 20, ...options })
  keepRunning(t, engine)
  const stillIn = (): readonly (string | undefined)[] =>
    report(engine, identity, clock).partitions.map(({ partition, still }) => still && `${partition}: ${still.message}`)
  return { engine, clock, stillIn }
}

test('a partition with known records, none of which has moved for a minute, is told, and no other', async (t) => {
  const { engine, clock, stillIn } = aWorld(t)
  await clock.advance(50_000)
  assert.deepEqual(stillIn(), [undefined, undefined])
  assert.equal(readiness(engine, clock.monotonic()).ok, true)
  await clock.advance(15_000)
  assert.deepEqual(stillIn(), [
    'memory/0: records wait and none has moved for more than 60 s: the sink has not answered yet',
    undefined,
  ])
})

test('a replica in which a partition stands still is not ready, and says where and why', async (t) => {
  const { engine, clock } = aWorld(t)
  await clock.advance(65_000)
  assert.deepEqual(readiness(engine, clock.monotonic()), {
    ok: false,
    message: 'partition memory/0: records wait and none has moved for more than 60 s: the sink has not answered yet',
  })
  assert.match(progressLine(report(engine, identity, clock)), /NO PROGRESS: partition memory\/0: records wait/)
})

test('a limit that a person has set is no standstill, and no reason for a restart', async (t) => {
  const { engine, clock, stillIn } = aWorld(t, { maxRecordsPerSecond: 0.01 })
  await clock.advance(300_000)
  assert.deepEqual(stillIn(), [undefined, undefined])
  assert.equal(liveness(engine, clock.monotonic()).ok, true)
})

test('a partition that rests for an hour is not late when its first record comes', async (t) => {
  const clock = fakeClock()
  const log = new MemoryLog(1)
  const engine = memoryEngine(new MemorySource(log), new MemorySink(), { clock, commitInterval: 60_000 })
  keepRunning(t, engine)
  await clock.advance(3_600_000)
  log.append(0, 'k', '0/0')
  assert.equal(report(engine, identity, clock).partitions[0]?.still, undefined)
  assert.equal(readiness(engine, clock.monotonic()).ok, true)
})
