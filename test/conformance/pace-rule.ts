/** The test of S17, over the engine: what a source hands over at once goes on at the rate of a limit. */
import assert from 'node:assert/strict'
import { realClock } from '../../bridge-runtime/core/clock.ts'
import { Engine } from '../../bridge-runtime/core/engine.ts'
import { memoryLeases } from '../../bridge-runtime/lease-stores/memory.ts'
import { eventually } from '../support/eventually.ts'
import { MemorySink } from '../support/memory/sink.ts'
import { uniqueName } from '../support/shared-servers.ts'
import { assertWhole } from '../support/tally.ts'
import { testRun } from '../support/verifier.ts'
import { type ConnectorHarness, openSource } from './harness.ts'

/** Records per second. */
const rate = 200

export async function keepsTheRate(harness: ConnectorHarness): Promise<void> {
  const target = await harness.target()
  const stream = uniqueName('conformance')
  await harness.createStream(target, stream, 2)
  const run = testRun({ run: stream, keys: 10 })
  await harness.produce(target, stream, run.take(600))
  const leases = memoryLeases()
  /** Runs the bridge until so many records are stored, and stops it in good order. */
  const move = async (maxRecordsPerSecond: number, count: number): Promise<number> => {
    const sink = new MemorySink({ limits: { maxRecords: 500, maxBytes: 1e6 } })
    const stop = new AbortController()
    const engine = new Engine({
      openSource: () => openSource(harness, harness.sourceConfig(target, stream), { leases, name: stream }),
      openSink: () => Promise.resolve(sink),
      openDeadLetterSink: undefined,
      sinkLanes: 4,
      stages: () => [],
      origin: `${harness.connector.name}/${stream}`,
      ordering: 'PerKey',
      backoff: { initial: 50, max: 500 },
      maxInFlightBytes: 32 * 1024 * 1024,
      maxRecordsPerSecond,
      commitInterval: 300,
      drainTimeout: 20_000,
      clock: realClock,
      random: Math.random,
      onChange: () => undefined,
      onNotice: () => undefined,
      onWrite: () => undefined,
    })
    const running = engine.run(stop.signal)
    let begun: number | undefined
    let ahead = 0
    await eventually(
      `${count} records`,
      () => {
        const { length } = sink.stored
        const now = performance.now()
        if (length > 0) begun ??= now - 50
        ahead = Math.max(ahead, length - maxRecordsPerSecond * ((now - (begun ?? now)) / 1000 + 0.5))
        return length
      },
      (length) => length >= count,
      { within: 90_000 },
    )
    stop.abort()
    await running
    assert.ok(ahead <= 0, `${ahead} records more had moved than the limit allows`)
    for (const { key, value } of sink.stored) run.arrived(key?.toString() ?? null, value)
    return sink.stored.length
  }
  const first = await move(rate, 250)
  await move(Number.POSITIVE_INFINITY, 600 - first)
  assertWhole(run.tally(), 0)
}
