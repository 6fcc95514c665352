import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { eventually } from '../../test/support/eventually.ts'
import { memoryEngine } from '../../test/support/memory/engine.ts'
import { MemorySink } from '../../test/support/memory/sink.ts'
import { MemoryLog, MemorySource } from '../../test/support/memory/source.ts'
import { deadLetterHeaders } from './delivery/dead-letter-record.ts'
import { BridgeError } from './errors.ts'

const retryable = new BridgeError('throttled', { kind: 'retryable', reason: 'Throttled' })
const poison = new BridgeError('2 MB, the limit is 1 MB', { kind: 'poison', reason: 'RecordTooLarge' })
const unreachable = new BridgeError('no broker answers', { kind: 'retryable', reason: 'BrokerUnreachable' })

/** Partition p holds the keys p0..p2 in turn; a value is `partition/offset`. */
function filled(partitions: number, records: number): MemoryLog {
  const log = new MemoryLog(partitions)
  for (let partition = 0; partition < partitions; partition += 1) {
    for (let offset = 0; offset < records; offset += 1)
      log.append(partition, `${partition}${offset % 3}`, `${partition}/${offset}`)
  }
  return log
}

const everyValue = (log: MemoryLog): string[] =>
  log.partitions.flatMap((records) => records.map(({ value }) => `${value}`))

/** First occurrences of each key are in the source's order. */
function assertOrder(values: readonly string[]): void {
  const newest = new Map<string, number>()
  const seen = new Set<string>()
  for (const value of values) {
    if (seen.has(value)) continue
    seen.add(value)
    const [partition, offset] = value.split('/').map(Number) as [number, number]
    const key = `${partition}${offset % 3}`
    assert.ok(offset > (newest.get(key) ?? -1), `${value} comes after ${newest.get(key)} of key ${key}`)
    newest.set(key, offset)
  }
}

/** Resolves once the gate is open. */
const opened = (gate: AbortSignal): Promise<void> =>
  new Promise((resolve) => (gate.aborted ? resolve() : gate.addEventListener('abort', () => resolve(), { once: true })))

const valuesOf = (sink: MemorySink): string[] => sink.stored.map(({ value }) => `${value}`)

test('a clean stop leaves nothing lost, nothing duplicated, everything settled committed', async () => {
  const log = filled(3, 200)
  const sink = new MemorySink()
  const stop = new AbortController()
  const engine = memoryEngine(new MemorySource(log), sink)
  const running = engine.run(stop.signal)
  await eventually('half of it is stored', () => sink.stored.length > 300)
  stop.abort()
  await running
  const rest = new MemorySink()
  await memoryEngine(new MemorySource(log, { finite: true }), rest).run(new AbortController().signal)
  const moved = [...valuesOf(sink), ...valuesOf(rest)]
  assert.deepEqual([...moved].sort(), everyValue(log).sort())
  assertOrder(moved)
  assert.deepEqual(sink.overlaps, [])
})

test('faults at random places and a loss of ownership lose nothing, reorder nothing, and commits never go back', async () => {
  const scenario = fc.record({
    failing: fc.array(fc.tuple(fc.nat(2), fc.nat(59), fc.integer({ min: 1, max: 3 })), { maxLength: 12 }),
    cuts: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 4 }),
    losses: fc.array(fc.nat(2), { maxLength: 3 }),
    lanes: fc.integer({ min: 1, max: 4 }),
  })
  await fc.assert(
    fc.asyncProperty(scenario, async ({ failing, cuts, losses, lanes }) => {
      const log = filled(3, 60)
      const until = new Map(failing.map(([partition, offset, writes]) => [`${partition}/${offset}`, writes]))
      const sink = new MemorySink({
        fail: ({ value }, write) => (write <= (until.get(`${value}`) ?? 0) ? retryable : undefined),
        cut: (write) => cuts.includes(write),
      })
      const source = new MemorySource(log, { finite: true })
      const running = memoryEngine(source, sink, { sinkLanes: lanes }).run(new AbortController().signal)
      for (const partition of losses) {
        await new Promise((resolve) => setTimeout(resolve, 4))
        const reader = source.readers.find((candidate) => candidate.partition === `memory/${partition}`)
        if (reader === undefined) continue
        await source.lose(reader)
        source.assign(partition)
      }
      await running
      assert.deepEqual([...new Set(valuesOf(sink))].sort(), everyValue(log).sort())
      assertOrder(valuesOf(sink))
      for (const partition of log.partitions.keys()) {
        const positions = log.commits
          .filter((commit) => commit.partition === partition)
          .map(({ progress }) => Number(progress.position))
        assert.deepEqual(
          positions,
          [...positions].sort((a, b) => a - b),
        )
      }
    }),
    { numRuns: 25 },
  )
})

test('a sink that stands still stops the polling, within the bound and one batch per partition', async () => {
  const log = filled(2, 1000)
  const gate = new AbortController()
  const sink = new MemorySink({ gate: () => opened(gate.signal) })
  const source = new MemorySource(log)
  const engine = memoryEngine(source, sink, { maxInFlightBytes: 200 })
  const stop = new AbortController()
  const running = engine.run(stop.signal)
  const inFlight = (): number => engine.pumps.reduce((sum, pump) => sum + pump.inFlightBytes, 0)
  await eventually('both partitions are full', () => inFlight() >= 200)
  const polls = [...source.polls]
  await new Promise((resolve) => setTimeout(resolve, 30))
  assert.deepEqual(source.polls, polls)
  assert.ok(inFlight() <= 200 + 2 * 10 * '0/999'.length, `${inFlight()} bytes in flight`)
  gate.abort()
  await eventually('all of it is stored', () => sink.stored.length === 2000)
  stop.abort()
  await running
})

test('a record that can never be delivered stops its partition there, says so, and only there', async () => {
  const log = filled(2, 50)
  const sink = new MemorySink({ fail: ({ value }) => (`${value}` === '0/25' ? poison : undefined) })
  const engine = memoryEngine(new MemorySource(log), sink, { sinkLanes: 1 })
  const stop = new AbortController()
  const running = engine.run(stop.signal)
  await eventually('the other partition is through', () => log.committed[1] === 50)
  const halted = await eventually(
    'the partition is halted',
    () => engine.pumps.find((pump) => pump.halted !== undefined)?.halted,
  )
  assert.deepEqual(halted, {
    reason: 'StoppedAtRecord',
    message: 'memory/log/memory/0 at 25 cannot be delivered: 2 MB, the limit is 1 MB',
  })
  await eventually('what is before it is committed', () => log.committed[0] === 25)
  assert.equal(engine.errors.newest('sink')?.error.reason, 'RecordTooLarge')
  stop.abort()
  await running
  assert.equal(log.committed[0], 25)
})

test('a poison record is dead-lettered with its origin and its batch is settled', async () => {
  const log = filled(1, 30)
  const letters = new MemorySink()
  const sink = new MemorySink({ fail: ({ position }) => (position === 7 ? poison : undefined) })
  await memoryEngine(new MemorySource(log, { finite: true }), sink, {
    openDeadLetterSink: () => Promise.resolve(letters),
  }).run(new AbortController().signal)
  const [letter] = letters.stored
  const headers = Object.fromEntries((letter?.headers ?? []).map(({ name, value }) => [name, `${value}`]))
  assert.deepEqual([letters.stored.length, `${letter?.value}`, sink.stored.length], [1, '0/7', 29])
  assert.equal(headers[deadLetterHeaders.origin], 'memory/log/memory/0')
  assert.equal(headers[deadLetterHeaders.position], '7')
  assert.equal(headers[deadLetterHeaders.reason], 'RecordTooLarge')
  assertOrder(valuesOf(sink))
})

test('while the dead-letter sink is down the watermark does not pass the record', async () => {
  const log = filled(1, 30)
  let down = true
  const letters = new MemorySink({ fail: () => (down ? unreachable : undefined) })
  const sink = new MemorySink({ fail: ({ position }) => (position === 7 ? poison : undefined) })
  const engine = memoryEngine(new MemorySource(log, { finite: true }), sink, {
    openDeadLetterSink: () => Promise.resolve(letters),
  })
  const running = engine.run(new AbortController().signal)
  await eventually('it fails', () => engine.errors.newest('deadLetter')?.error.reason === 'BrokerUnreachable')
  assert.ok((log.committed[0] ?? 0) <= 7)
  down = false
  await running
  assert.equal(log.committed[0], 30)
  assert.equal(engine.errors.all().length, 0)
})

test('an acknowledgement that comes after ownership was lost is not committed', async () => {
  const log = filled(1, 5)
  const gate = new AbortController()
  const sink = new MemorySink({ gate: () => opened(gate.signal) })
  const source = new MemorySource(log)
  const engine = memoryEngine(source, sink)
  const stop = new AbortController()
  const running = engine.run(stop.signal)
  await eventually('records are in flight', () => engine.pumps[0]?.inFlightRecords === 5)
  const [reader] = source.readers
  assert.ok(reader)
  await source.lose(reader)
  gate.abort()
  await eventually('the write has ended', () => sink.stored.length === 5)
  stop.abort()
  await running
  assert.deepEqual(log.commits, [])
})

test('no more is in flight than a drain can finish, however slow the sink', async () => {
  const log = new MemoryLog(2)
  for (let offset = 0; offset < 2_000; offset += 1)
    log.append(offset % 2, null, `${offset % 2}/${offset}`.padEnd(8_192))
  const limits = { maxRecords: 7, maxBytes: 32_000_000 }
  const sink = new MemorySink({ limits, gate: () => new Promise((resolve) => setTimeout(resolve, 20)) })
  const engine = memoryEngine(new MemorySource(log), sink, {
    sinkLanes: 1,
    maxInFlightBytes: 32_000_000,
    drainTimeout: 1_000,
  })
  const stop = new AbortController()
  const running = engine.run(stop.signal)
  await eventually('it moves', () => sink.stored.length > 100)
  stop.abort()
  await running
  assert.equal(engine.abandoned, 0)
})

test('a drain that runs out of time commits what is settled and gives up the rest', async () => {
  const log = filled(1, 20)
  let writes = 0
  const sink = new MemorySink({
    gate: () => (writes++ < 1 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, 300))),
    limits: { maxRecords: 5, maxBytes: 1e6 },
  })
  const engine = memoryEngine(new MemorySource(log), sink, { sinkLanes: 1, drainTimeout: 50 })
  const stop = new AbortController()
  const running = engine.run(stop.signal)
  await eventually('the first request is stored', () => sink.stored.length === 5)
  stop.abort()
  await running
  assert.ok(engine.abandoned > 0)
  assert.equal(log.committed[0], sink.stored.length)
})

test('a source, a sink and a store that fail at first are tried until they work', async () => {
  const log = filled(2, 20)
  const again = (): BridgeError[] => [unreachable, unreachable]
  const source = new MemorySource(log, {
    finite: true,
    runErrors: again(),
    commitErrors: again(),
    pollErrors: new Map([[0, again()]]),
  })
  const sink = new MemorySink({ openErrors: again() })
  const seen: string[] = []
  const engine = memoryEngine(source, sink, {
    onChange: (component, error) => void seen.push(`${component} ${error?.reason ?? 'works'}`),
  })
  await engine.run(new AbortController().signal)
  assert.deepEqual(valuesOf(sink).sort(), everyValue(log).sort())
  assert.deepEqual(
    new Set(seen),
    new Set(
      ['source', 'sink', 'checkpoint'].flatMap((component) => [`${component} BrokerUnreachable`, `${component} works`]),
    ),
  )
  assert.equal(engine.errors.all().length, 0)
})

test('a commit that fails while draining is tried again before ownership is given away', async () => {
  const log = filled(1, 20)
  const sink = new MemorySink()
  const commitErrors: BridgeError[] = []
  const engine = memoryEngine(new MemorySource(log, { commitErrors }), sink, { commitInterval: 60_000 })
  const stop = new AbortController()
  const running = engine.run(stop.signal)
  await eventually('all of it is stored', () => sink.stored.length === 20)
  commitErrors.push(unreachable, unreachable, unreachable)
  stop.abort()
  await running
  assert.deepEqual([commitErrors.length, log.committed[0]], [0, 20])
})

test('a gap in the source stops the partition and names it', async () => {
  const log = filled(1, 5)
  const gap = new BridgeError('memory/0: offsets 0 to 4 are gone', { kind: 'fatal', reason: 'DataGap' })
  const engine = memoryEngine(new MemorySource(log, { pollErrors: new Map([[0, [gap]]]) }), new MemorySink())
  const stop = new AbortController()
  const running = engine.run(stop.signal)
  const halted = await eventually('it is halted', () => engine.pumps[0]?.halted)
  assert.deepEqual(halted, { reason: 'DataGap', message: gap.message })
  stop.abort()
  await running
})
