/** Sinks whose records are durable later than they are accepted. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../../test/support/eventually.ts'
import { MemoryAppendSink } from '../../test/support/memory/append-sink.ts'
import { memoryEngine } from '../../test/support/memory/engine.ts'
import { MemorySink } from '../../test/support/memory/sink.ts'
import { MemoryLog, MemorySource } from '../../test/support/memory/source.ts'
import type { AppendSink } from './contracts.ts'
import { BridgeError } from './errors.ts'

const poison = new BridgeError('no row of this table', { kind: 'poison', reason: 'InvalidRecord' })

function filled(records: number, partitions = 1): MemoryLog {
  const log = new MemoryLog(partitions)
  for (let offset = 0; offset < records; offset += 1) log.append(offset % partitions, `${offset % 5}`, `${offset}`)
  return log
}

const engineOver = (log: MemoryLog, sink: AppendSink, options: Parameters<typeof memoryEngine>[2] = {}) =>
  memoryEngine(new MemorySource(log), new MemorySink(), { openSink: () => Promise.resolve(sink), ...options })

const values = (sink: MemoryAppendSink): number[] => sink.stored.map(({ value }) => Number(`${value}`))

test('a position moves when records are durable, not when they are accepted', async () => {
  const log = filled(100)
  const gate = Promise.withResolvers<void>()
  const sink = new MemoryAppendSink({ roll: 40, gate: () => gate.promise })
  const engine = engineOver(log, sink)
  const stop = new AbortController()
  const running = engine.run(stop.signal)
  await eventually('all is accepted', () => sink.batches.reduce((sum, { count }) => sum + count, 0) === 100)
  assert.deepEqual([sink.stored.length, log.committed[0], engine.statistics.totals.out], [0, 0, 0])
  gate.resolve()
  await eventually('what is durable is committed', () => (log.committed[0] ?? 0) >= 40)
  assert.ok((log.committed[0] ?? 0) <= sink.stored.length)
  stop.abort()
  await running
  assert.deepEqual([sink.stored.length, log.committed[0]], [100, 100], 'a drain makes durable what was accepted')
})

test('what was accepted needs no memory: the bound is on what was not', async () => {
  const log = filled(500)
  const gate = Promise.withResolvers<void>()
  const sink = new MemoryAppendSink({ roll: 1_000, gate: () => gate.promise })
  const engine = engineOver(log, sink, { maxInFlightBytes: 50 })
  const stop = new AbortController()
  const running = engine.run(stop.signal)
  await eventually('all is accepted though nothing is durable', () => sink.pending === 500)
  assert.deepEqual([engine.pumps[0]?.inFlightBytes, engine.pumps[0]?.inFlightRecords], [0, 500])
  gate.resolve()
  stop.abort()
  await running
  assert.equal(log.committed[0], 500)
})

test('what was accepted and is lost is read again from what is committed', async () => {
  const log = filled(200, 2)
  const sink = new MemoryAppendSink({ roll: 30, lose: (completion) => completion === 2 })
  const engine = engineOver(log, sink)
  const stop = new AbortController()
  const running = engine.run(stop.signal)
  const there = (): Set<number> => new Set([...values(sink), ...sink.accepted.map(({ value }) => Number(`${value}`))])
  await eventually('all of it is there again, or accepted', () => there().size === 200)
  stop.abort()
  await running
  assert.deepEqual(
    [...new Set(values(sink))].sort((a, b) => a - b),
    Array.from({ length: 200 }, (_, index) => index),
  )
  assert.deepEqual(log.committed, [100, 100])
})

test('a drain that ends before the records are durable gives them up: they are read again', async () => {
  const log = filled(50)
  const sink = new MemoryAppendSink({ roll: 1_000, gate: () => new Promise(() => undefined) })
  const never: AppendSink = {
    limits: sink.limits,
    open: () => sink.open(),
    append: (batch) => sink.append(batch),
    flush: (_partition, signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
  }
  const engine = engineOver(log, never, { drainTimeout: 20 })
  const stop = new AbortController()
  const running = engine.run(stop.signal)
  await eventually('all is accepted', () => sink.pending === 50)
  stop.abort()
  await running
  assert.deepEqual([engine.abandoned, log.committed[0]], [50, 0])
})

test('a partition that stops at a record makes durable and commits what was accepted before it', async () => {
  const log = filled(20)
  const sink = new MemoryAppendSink({ roll: 1_000 })
  const picky: AppendSink = {
    limits: { maxRecords: 5, maxBytes: 1e6 },
    open: () => sink.open(),
    append: async (batch) => {
      if (batch.records().some(({ position }) => position === 12)) {
        const failures = new Map(batch.records().map((_, index) => [index, poison] as const))
        return { failures, durable: Promise.resolve() }
      }
      return sink.append(batch)
    },
    flush: (partition) => sink.flush(partition),
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
  }
  const engine = engineOver(log, picky, { sinkLanes: 1 })
  const stop = new AbortController()
  const running = engine.run(stop.signal)
  await eventually('it halts', () => engine.pumps[0]?.halted)
  await eventually('what is before it is committed', () => log.committed[0] === 10)
  assert.deepEqual(
    values(sink),
    Array.from({ length: 10 }, (_, index) => index),
  )
  stop.abort()
  await running
})

test('a batch names its source: origin, partition, epoch, first and last position', async () => {
  const log = filled(14)
  const sink = new MemoryAppendSink({ roll: 5 })
  const engine = engineOver(log, sink, { sinkLanes: 1 })
  const stop = new AbortController()
  const running = engine.run(stop.signal)
  await eventually('all is committed or pending', () => sink.stored.length + sink.pending === 14)
  stop.abort()
  await running
  for (const batch of sink.batches) {
    assert.deepEqual([batch.origin, batch.partition, batch.epoch], ['memory/log/memory/0', 'memory/0', 1])
    assert.equal(Number(batch.last) - Number(batch.first) + 1, batch.count)
  }
  assert.deepEqual([sink.batches[0]?.first, sink.batches.at(-1)?.last], [0, 13])
})

test('where a source ends, what was accepted is made durable at once', async () => {
  const log = filled(23)
  const sink = new MemoryAppendSink({ roll: 1_000 })
  const source = new MemorySource(log, { finite: true })
  await memoryEngine(source, new MemorySink(), { openSink: () => Promise.resolve(sink) }).run(
    new AbortController().signal,
  )
  assert.deepEqual([sink.stored.length, log.committed[0], log.ended[0]], [23, 23, true])
})
