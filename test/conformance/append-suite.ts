/** The rules of an append sink beyond those of any sink, over the engine: see CONTRACT.md. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AppendSink } from '../../bridge-runtime/core/contracts.ts'
import type { Engine } from '../../bridge-runtime/core/engine.ts'
import { eventually } from '../support/eventually.ts'
import { memoryEngine } from '../support/memory/engine.ts'
import { MemorySink } from '../support/memory/sink.ts'
import { MemoryLog, MemorySource } from '../support/memory/source.ts'
import { appendRules } from './rules.ts'

/** One place where records land, for one test. */
export interface Landing {
  /** @param maxAge milliseconds after which records are durable; far away where the test does not need it */
  sink(options: { readonly maxAge: number }): AppendSink
  /** The values that are there for everybody, each as often as it is. */
  durable(): Promise<readonly string[]>
  /** Makes the next attempts to make records durable fail in passing. */
  failNext(attempts: number): void
  /** Lets nothing become durable any more, as if the process had died. */
  die(): void
}

function filled(records: number): MemoryLog {
  const log = new MemoryLog(2)
  for (let offset = 0; offset < records; offset += 1) log.append(offset % 2, `${offset % 7}`, `${offset}`)
  return log
}

/** So many were read, and the sink has them in its keeping. */
const isAccepted = (engine: Engine, count: number): boolean =>
  engine.statistics.totals.in === count && engine.pumps.every((pump) => pump.inFlightBytes === 0)

const hour = 3_600_000
const all = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `${index}`)
const numeric = (values: Iterable<string>): readonly string[] => [...values].sort((a, b) => Number(a) - Number(b))
const committed = (log: MemoryLog): number => log.committed.reduce((sum, offset) => sum + offset, 0)

export function appendSuite(name: string, landing: () => Promise<Landing>): void {
  const holds = (rule: keyof typeof appendRules, check: (place: Landing) => Promise<void>): void => {
    test(`${rule} ${appendRules[rule]} · ${name}`, async () => check(await landing()))
  }
  const over = (log: MemoryLog, sink: AppendSink, drainTimeout = 20_000) =>
    memoryEngine(new MemorySource(log), new MemorySink(), { openSink: () => Promise.resolve(sink), drainTimeout })

  holds('A1', async (place) => {
    const log = filled(400)
    const stop = new AbortController()
    const running = over(log, place.sink({ maxAge: hour }), 300).run(stop.signal)
    await eventually('some are committed', () => committed(log) > 0)
    place.die()
    stop.abort()
    await running
    const there = new Set(await place.durable())
    for (const [partition, records] of log.partitions.entries())
      for (const { value } of records.slice(0, log.committed[partition]))
        assert.ok(there.has(`${value}`), `${value} is committed and not there`)
  })

  holds('A2', async (place) => {
    const log = filled(400)
    place.failNext(3)
    const stop = new AbortController()
    const engine = over(log, place.sink({ maxAge: hour }))
    const running = engine.run(stop.signal)
    await eventually('some are committed all the same', () => committed(log) > 0)
    await eventually('all is accepted', () => isAccepted(engine, 400))
    stop.abort()
    await running
    assert.deepEqual(numeric(await place.durable()), all(400), 'all of it, each once')
  })

  holds('A3', async (place) => {
    const log = filled(11)
    const stop = new AbortController()
    const engine = over(log, place.sink({ maxAge: hour }))
    const running = engine.run(stop.signal)
    await eventually('all is accepted', () => isAccepted(engine, 11))
    stop.abort()
    await running
    assert.deepEqual([numeric(await place.durable()), committed(log)], [all(11), 11])
  })

  holds('A4', async (place) => {
    const log = filled(11)
    const stop = new AbortController()
    const running = over(log, place.sink({ maxAge: 20 })).run(stop.signal)
    await eventually('all is committed', () => committed(log) === 11)
    assert.deepEqual(numeric(await place.durable()), all(11))
    stop.abort()
    await running
  })
}
