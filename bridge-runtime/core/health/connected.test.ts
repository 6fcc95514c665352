import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { eventually } from '../../../test/support/eventually.ts'
import { memoryEngine } from '../../../test/support/memory/engine.ts'
import { MemorySink } from '../../../test/support/memory/sink.ts'
import { MemoryLog, MemorySource } from '../../../test/support/memory/source.ts'
import { keepRunning } from '../../../test/support/running-engine.ts'
import { readiness } from '../../observability/health.ts'
import type { Engine, EngineOptions } from '../engine.ts'
import { BridgeError } from '../errors.ts'

const tooLarge = new BridgeError('2 MB, the limit is 1 MB', { kind: 'poison', reason: 'RecordTooLarge' })
const unreachable = new BridgeError('no broker answers', { kind: 'retryable', reason: 'BrokerUnreachable' })
const throttled = new BridgeError('slow down', { kind: 'retryable', reason: 'Throttled' })
const taken = new BridgeError('another reader has it', { kind: 'retryable', reason: 'PartitionTaken' })

/** Partitions of 20 records: value `p/n`. */
function log(partitions: number): MemoryLog {
  const made = new MemoryLog(partitions)
  for (let partition = 0; partition < partitions; partition += 1)
    for (let offset = 0; offset < 20; offset += 1) made.append(partition, 'k', `${partition}/${offset}`)
  return made
}

function moving(t: TestContext, source: MemorySource, sink: MemorySink, options: Partial<EngineOptions> = {}): Engine {
  return keepRunning(t, memoryEngine(source, sink, { sinkLanes: 1, drainTimeout: 20, ...options })).engine
}

const halted = (engine: Engine) => eventually('a partition halts', () => engine.pumps.find((pump) => pump.halted))

test('a record that can never be delivered does not disconnect the sink that refused it', async (t) => {
  const sink = new MemorySink({ fail: ({ position }) => (position === 7 ? tooLarge : undefined) })
  const engine = moving(t, new MemorySource(log(1)), sink)
  await halted(engine)
  assert.equal(engine.sinkConnected, true)
  assert.deepEqual(readiness(engine, 0), { ok: true, message: 'ok' })
  assert.equal(engine.errors.newest('sink')?.error.reason, 'RecordTooLarge')
})

test('an outage that is over does not outlive itself in a partition that a record then stops', async (t) => {
  const sink = new MemorySink({
    fail: ({ position }, write) => (position === 7 ? (write === 1 ? unreachable : tooLarge) : undefined),
  })
  const engine = moving(t, new MemorySource(log(1)), sink)
  await halted(engine)
  assert.equal(engine.sinkConnected, true)
})

test('a record that the dead-letter sink refuses too disconnects neither of the sinks', async (t) => {
  const sink = new MemorySink({ fail: ({ position }) => (position === 7 ? tooLarge : undefined) })
  const letters = new MemorySink({ fail: (_, write) => (write === 1 ? unreachable : tooLarge) })
  const engine = moving(t, new MemorySource(log(1)), sink, { openDeadLetterSink: () => Promise.resolve(letters) })
  await halted(engine)
  assert.equal(engine.sinkConnected, true)
  assert.equal(engine.errors.newest('deadLetter'), undefined)
})

test('a stopped partition does not hide that the sink cannot be reached', async (t) => {
  const sink = new MemorySink({
    fail: ({ value, position }) => (`${value}`.startsWith('1/') ? unreachable : position === 7 ? tooLarge : undefined),
  })
  const engine = moving(t, new MemorySource(log(2)), sink)
  await halted(engine)
  await eventually('the other partition fails', () => !engine.sinkConnected)
  assert.equal(engine.errors.newest('sink')?.error.reason, 'BrokerUnreachable')
})

test('a partition that is throttled does not hide that another cannot be written', async (t) => {
  const sink = new MemorySink({
    fail: ({ value }) => (`${value}`.startsWith('1/') ? unreachable : throttled),
  })
  const engine = moving(t, new MemorySource(log(2)), sink)
  await eventually('both fail', () => engine.statistics.totals.retries > 30)
  assert.equal(engine.sinkConnected, false)
})

test('a dead-letter sink that is throttled says nothing of the pace of the sink', async (t) => {
  const sink = new MemorySink({ fail: ({ position }) => (position === 7 ? tooLarge : undefined) })
  const letters = new MemorySink({ fail: (_, write) => (write < 5 ? throttled : undefined) })
  const engine = moving(t, new MemorySource(log(1)), sink, { openDeadLetterSink: () => Promise.resolve(letters) })
  await eventually('the record is set aside', () => engine.statistics.totals.deadLettered === 1)
  assert.equal(engine.statistics.totals.throttles, 0)
})

test('a partition that another reader has taken makes the source not connected', async (t) => {
  const errors = Array.from({ length: 1_000 }, () => taken)
  const engine = moving(t, new MemorySource(log(2), { pollErrors: new Map([[1, errors]]) }), new MemorySink())
  await eventually('the poll fails', () => engine.errors.newest('source')?.error.reason === 'PartitionTaken')
  assert.equal(engine.sourceConnected, false)
  errors.length = 0
  await eventually('it is ours again', () => engine.sourceConnected)
})

test('a gap in the source does not disconnect it: a person has to decide, no broker has to come back', async (t) => {
  const gap = new BridgeError('offsets 0 to 4 are gone', { kind: 'fatal', reason: 'DataGap' })
  const engine = moving(t, new MemorySource(log(1), { pollErrors: new Map([[0, [gap]]]) }), new MemorySink())
  await halted(engine)
  await eventually('the source is connected', () => engine.sourceConnected)
})

test('an outage that ends in a gap is over: the gap is what is told, and the source is connected', async (t) => {
  const gap = new BridgeError('offsets 0 to 4 are gone', { kind: 'fatal', reason: 'DataGap' })
  const source = new MemorySource(log(1), { pollErrors: new Map([[0, [unreachable, gap]]]) })
  const engine = moving(t, source, new MemorySink())
  await halted(engine)
  await eventually('the source is connected', () => engine.sourceConnected)
  assert.equal(engine.errors.newest('source')?.error.reason, 'DataGap')
})
