/** Stages between a source and the lanes: what is dropped, multiplied, re-keyed and refused on the way. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { eventually } from '../../test/support/eventually.ts'
import { memoryEngine } from '../../test/support/memory/engine.ts'
import { MemorySink } from '../../test/support/memory/sink.ts'
import { MemoryLog, MemorySource } from '../../test/support/memory/source.ts'
import type { BridgeRecord, Derived, Stage } from './contracts.ts'
import { deadLetterHeaders } from './delivery/dead-letter-record.ts'
import { BridgeError } from './errors.ts'

const unmade = new BridgeError('the value is no number', { kind: 'poison', reason: 'InvalidRecord' })
const tooLarge = new BridgeError('too large', { kind: 'poison', reason: 'RecordTooLarge' })
const busy = new BridgeError('slow down', { kind: 'retryable', reason: 'Throttled' })
const never = new AbortController().signal

/** A stage from what it makes of each record. */
const each = (name: string, make: (record: BridgeRecord) => readonly BridgeRecord[]): Stage => ({
  name,
  apply: (records): Derived => {
    const made = records.map(make)
    return {
      records: made.flat(),
      parents: Uint32Array.from(made.flatMap((outputs, index) => outputs.map(() => index))),
    }
  },
})

const numberOf = ({ value }: BridgeRecord): number => Number(`${value}`)
const keepIf = (name: string, keep: (record: BridgeRecord) => boolean): Stage =>
  each(name, (record) => (keep(record) ? [record] : []))
const rekey = (keyOf: (record: BridgeRecord) => string): Stage =>
  each('rekey', (record) => [{ ...record, key: Buffer.from(keyOf(record)) }])
const explode = (parts: (record: BridgeRecord) => number): Stage =>
  each('explode', (record) =>
    Array.from({ length: parts(record) }, (_, part) => ({ ...record, value: Buffer.from(`${record.value}.${part}`) })),
  )
const refuse = (which: (record: BridgeRecord) => boolean): Stage =>
  each('refuse', (record) => [which(record) ? { ...record, poison: unmade } : record])

function filled(records: number): MemoryLog {
  const log = new MemoryLog(1)
  for (let offset = 0; offset < records; offset += 1) log.append(0, `${offset % 5}`, `${offset}`)
  return log
}

interface Setup extends NonNullable<Parameters<typeof memoryEngine>[2]> {
  readonly through: readonly Stage[]
}

const engineOver = (log: MemoryLog, sink: MemorySink, { through, ...options }: Setup, finite = true) =>
  memoryEngine(new MemorySource(log, { finite }), sink, { stages: () => through, ...options })

const texts = (sink: MemorySink): string[] => sink.stored.map(({ value }) => `${value}`)

test('what a stage drops is settled at once, counted by stage, and committed without a write', async () => {
  const log = filled(40)
  const sink = new MemorySink()
  const engine = engineOver(log, sink, {
    through: [keepIf('even', (record) => numberOf(record) % 2 === 0), keepIf('none', () => false)],
  })
  await engine.run(never)
  assert.deepEqual([sink.stored.length, log.committed[0]], [0, 40])
  const filtered = [...engine.statistics.steps].map(([step, figures]) => [step, figures.filtered])
  assert.deepEqual(Object.fromEntries(filtered), { even: 20, none: 20 })
  assert.equal(engine.statistics.totals.filtered, 40)
})

test('a dropped record behind one that is not delivered waits with the commit', async () => {
  const log = filled(10)
  const gate = Promise.withResolvers<void>()
  const sink = new MemorySink({ gate: () => gate.promise })
  const engine = engineOver(log, sink, { through: [keepIf('first', (record) => numberOf(record) === 0)] }, false)
  const stop = new AbortController()
  const running = engine.run(stop.signal)
  await eventually('nine are dropped', () => engine.statistics.totals.filtered === 9)
  await engine.pumps[0]?.commit()
  assert.equal(log.committed[0], 0)
  gate.resolve()
  await eventually('all is committed', () => log.committed[0] === 10)
  stop.abort()
  await running
})

test('a record with several outputs is settled when the last of them is', async () => {
  const log = filled(3)
  const sink = new MemorySink({ fail: ({ value }, write) => (`${value}` === '1.2' && write < 4 ? busy : undefined) })
  const engine = engineOver(log, sink, { through: [explode(() => 3)] })
  await engine.run(never)
  assert.deepEqual(texts(sink).sort(), ['0.0', '0.1', '0.2', '1.0', '1.1', '1.2', '2.0', '2.1', '2.2'])
  assert.deepEqual([log.committed[0], engine.statistics.totals.in, engine.statistics.totals.out], [3, 3, 9])
})

test('an output that the sink refuses is set aside once, as the source gave the record, and the other outputs are delivered', async () => {
  const log = filled(4)
  const sink = new MemorySink({ fail: ({ value }) => (['2.1', '2.2'].includes(`${value}`) ? tooLarge : undefined) })
  const letters = new MemorySink()
  const engine = engineOver(log, sink, {
    through: [rekey((record) => `${record.position}`), explode(() => 4)],
    openDeadLetterSink: () => Promise.resolve(letters),
  })
  await engine.run(never)
  assert.deepEqual(
    letters.stored.map(({ key, value }) => [`${key}`, `${value}`]),
    [['2', '2']],
  )
  assert.deepEqual(
    texts(sink)
      .filter((text) => text.startsWith('2.'))
      .sort(),
    ['2.0', '2.3'],
  )
  assert.deepEqual([log.committed[0], engine.statistics.totals.deadLettered], [4, 1])
})

test('what a stage cannot make is set aside in its place, with the bytes of the source', async () => {
  const log = filled(30)
  const [sink, letters] = [new MemorySink(), new MemorySink()]
  const engine = engineOver(log, sink, {
    through: [
      each('twice', (record) => [{ ...record, value: Buffer.from(`${2 * numberOf(record)}`) }]),
      refuse((record) => numberOf(record) === 14),
      keepIf('all', () => true),
    ],
    openDeadLetterSink: () => Promise.resolve(letters),
  })
  await engine.run(never)
  const [letter] = letters.stored
  assert.deepEqual([letters.stored.length, `${letter?.value}`], [1, '7'])
  const headers = Object.fromEntries((letter?.headers ?? []).map(({ name, value }) => [name, `${value}`]))
  assert.deepEqual([headers[deadLetterHeaders.reason], headers[deadLetterHeaders.attempts]], ['InvalidRecord', '0'])
  assert.deepEqual([sink.stored.length, log.committed[0]], [29, 30])
})

test('without a dead-letter sink the partition stops at what a stage cannot make, and says which component it was', async () => {
  const log = filled(30)
  const sink = new MemorySink({ limits: { maxRecords: 100, maxBytes: 1e6 } })
  const engine = engineOver(log, sink, { through: [refuse((record) => numberOf(record) === 7)], sinkLanes: 1 }, false)
  const stop = new AbortController()
  const running = engine.run(stop.signal)
  const halted = await eventually('it halts', () => engine.pumps[0]?.halted)
  assert.equal(halted.message, 'memory/log/memory/0 at 7 cannot be transformed: the value is no number')
  await eventually('what is before it is committed', () => log.committed[0] === 7)
  assert.equal(engine.errors.newest('transform')?.error.reason, 'InvalidRecord')
  assert.equal(engine.errors.newest('sink'), undefined)
  stop.abort()
  await running
})

test('a stage that is not prepared is asked again: nothing is dropped, set aside or skipped meanwhile', async () => {
  const log = filled(20)
  const [sink, letters] = [new MemorySink(), new MemorySink()]
  const missing = new BridgeError('no such schema', { kind: 'retryable', reason: 'EndpointUnreachable' })
  let there = false
  const stage: Stage = {
    name: 'schema',
    prepare: () => (there ? undefined : Promise.reject(missing)),
    apply: (records) => ({ records }),
  }
  const engine = engineOver(log, sink, { through: [stage], openDeadLetterSink: () => Promise.resolve(letters) })
  const running = engine.run(never)
  await eventually('it is told', () => engine.errors.newest('transform')?.error.reason === 'EndpointUnreachable')
  assert.deepEqual([sink.stored.length, letters.stored.length, log.committed[0]], [0, 0, 0])
  there = true
  await running
  assert.deepEqual([sink.stored.length, letters.stored.length, log.committed[0]], [20, 0, 20])
  assert.equal(engine.errors.newest('transform'), undefined)
})

test('a stage that loses a record stops its partition and says so: it is never taken for a filter', async () => {
  const log = filled(20)
  const sink = new MemorySink()
  const broken: Stage = { name: 'broken', apply: (records) => ({ records: records.slice(1) }) }
  const engine = engineOver(log, sink, { through: [broken] }, false)
  const stop = new AbortController()
  const running = engine.run(stop.signal)
  const told = await eventually('it is told', () => engine.errors.newest('transform'))
  assert.equal(told.error.message, 'stage broken does not say where its outputs come from')
  assert.deepEqual([sink.stored.length, log.committed[0]], [0, 0])
  stop.abort()
  await running
})

test('whatever stages drop, multiply and re-key, and whatever fails on the way, each output arrives in the order of its new key', async () => {
  const scenario = fc.record({
    parts: fc.array(fc.nat(3), { minLength: 1, maxLength: 7 }),
    keys: fc.integer({ min: 1, max: 4 }),
    lanes: fc.integer({ min: 1, max: 4 }),
    failing: fc.array(fc.tuple(fc.nat(79), fc.integer({ min: 1, max: 3 })), { maxLength: 10 }),
    cuts: fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 3 }),
  })
  await fc.assert(
    fc.asyncProperty(scenario, async ({ parts, keys, lanes, failing, cuts }) => {
      const log = filled(80)
      const until = new Map(failing.map(([offset, writes]) => [`${offset}.0`, writes]))
      const sink = new MemorySink({
        fail: ({ value }, write) => (write <= (until.get(`${value}`) ?? 0) ? busy : undefined),
        cut: (request) => cuts.includes(request),
      })
      const partsOf = (offset: number): number => parts[offset % parts.length] ?? 0
      const through = [
        explode((record) => partsOf(numberOf(record))),
        rekey(({ position }) => `${Number(position) % keys}`),
      ]
      const engine = engineOver(log, sink, { through, sinkLanes: lanes })
      await engine.run(never)
      const expected = Array.from({ length: 80 }, (_, offset) =>
        Array.from({ length: partsOf(offset) }, (__, part) => `${offset}.${part}`),
      ).flat()
      assert.deepEqual([...new Set(texts(sink))].sort(), expected.sort())
      const seen = new Set<string>()
      const newest = new Map<string, readonly [number, number]>()
      for (const { key, value } of sink.stored) {
        const [text, name] = [`${value}`, `${key}`]
        if (seen.has(text)) continue
        seen.add(text)
        const [offset = 0, part = 0] = text.split('.').map(Number)
        const [before, beforePart] = newest.get(name) ?? [-1, -1]
        assert.ok(
          offset > before || (offset === before && part > beforePart),
          `${text} comes after ${before}.${beforePart}`,
        )
        newest.set(name, [offset, part])
      }
      assert.deepEqual(sink.overlaps, [])
      assert.equal(log.committed[0], 80)
    }),
    { numRuns: 40 },
  )
})

test('outputs count against the memory bound, beside the records they were made of', async () => {
  const log = filled(200)
  const gate = Promise.withResolvers<void>()
  const sink = new MemorySink({ gate: () => gate.promise })
  const big = each('grow', (record) => [{ ...record, value: Buffer.alloc(1_000) }])
  const engine = engineOver(log, sink, { through: [big], maxInFlightBytes: 15_000 }, false)
  const stop = new AbortController()
  const running = engine.run(stop.signal)
  await eventually('it is full', () => (engine.pumps[0]?.inFlightBytes ?? 0) >= 15_000)
  assert.ok((engine.pumps[0]?.inFlightBytes ?? 0) < 15_000 + 10 * 1_010, 'the bound and one batch')
  gate.resolve()
  await eventually('all is stored', () => sink.stored.length === 200)
  stop.abort()
  await running
})

test('a stage that changes nothing leaves the batch as it is', async () => {
  const log = filled(10)
  const sink = new MemorySink()
  const engine = engineOver(log, sink, { through: [{ name: 'same', apply: (records) => ({ records }) }] })
  await engine.run(never)
  assert.deepEqual(new Set(sink.stored), new Set(log.partitions[0]))
})
