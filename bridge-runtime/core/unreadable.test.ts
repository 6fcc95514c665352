import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../../test/support/eventually.ts'
import { memoryEngine } from '../../test/support/memory/engine.ts'
import { MemorySink } from '../../test/support/memory/sink.ts'
import { MemoryLog, MemorySource } from '../../test/support/memory/source.ts'
import { Cargo, wholeSlice } from './cargo.ts'
import type { Sink, SourceBatch } from './contracts.ts'
import { deadLetterHeaders } from './dead-letter.ts'
import { deliver } from './delivery.ts'
import { BridgeError } from './errors.ts'
import { realClock } from './clock.ts'
import { Watermark } from './watermark.ts'

const broken = new BridgeError('the record ends at byte 3', { kind: 'poison', reason: 'UnreadableRecord' })

/** 30 records of one partition; those at these offsets cannot be read. */
function logWith(...unreadable: readonly number[]): MemoryLog {
  const log = new MemoryLog(1)
  for (let offset = 0; offset < 30; offset += 1) log.append(0, `${offset % 3}`, `${offset}`)
  const records = log.partitions[0] ?? []
  for (const offset of unreadable) {
    const value = Buffer.from(`raw ${offset}`)
    records[offset] = { key: null, value, headers: [], timestamp: 0, position: offset, poison: broken }
  }
  return log
}

const run = (log: MemoryLog, sink: MemorySink, letters: MemorySink): Promise<void> =>
  memoryEngine(new MemorySource(log, { finite: true }), sink, {
    openDeadLetterSink: () => Promise.resolve(letters),
  }).run(new AbortController().signal)

test('a record that the source cannot read is dead-lettered with its bytes, and no sink is given it', async () => {
  const log = logWith(0, 7, 8, 29)
  const [sink, letters] = [new MemorySink(), new MemorySink()]
  await run(log, sink, letters)
  // Without a key they have no order.
  const stored = letters.stored.toSorted((a, b) => Number(a.position) - Number(b.position))
  assert.deepEqual(
    stored.map(({ position, value }) => [position, `${value}`]),
    [0, 7, 8, 29].map((offset) => [offset, `raw ${offset}`]),
  )
  const headers = Object.fromEntries((stored[1]?.headers ?? []).map(({ name, value }) => [name, `${value}`]))
  assert.equal(headers[deadLetterHeaders.position], '7')
  assert.equal(headers[deadLetterHeaders.reason], 'UnreadableRecord')
  assert.equal(headers[deadLetterHeaders.attempts], '0')
  assert.equal(stored[1]?.poison, undefined)
  assert.deepEqual([sink.stored.length, log.committed[0]], [26, 30])
})

test('without a dead-letter sink the partition stops at it, behind all that can be read before it', async () => {
  const log = logWith(7)
  const sink = new MemorySink({ limits: { maxRecords: 100, maxBytes: 1e6 } })
  const engine = memoryEngine(new MemorySource(log), sink, { sinkLanes: 1 })
  const stop = new AbortController()
  const running = engine.run(stop.signal)
  const halted = await eventually('the partition is halted', () => engine.pumps[0]?.halted)
  assert.deepEqual(halted, {
    reason: 'StoppedAtRecord',
    message: 'memory/log/memory/0 at 7 cannot be read: the record ends at byte 3',
  })
  await eventually('what is before it is committed', () => log.committed[0] === 7)
  assert.equal(engine.failing.newest('source')?.error.reason, 'UnreadableRecord')
  assert.equal(engine.failing.newest('sink'), undefined)
  stop.abort()
  await running
  assert.deepEqual([sink.stored.length, log.committed[0]], [7, 7])
})

test('what a sink takes undecoded is not decoded to look for records that cannot be read', async () => {
  let decoded = 0
  const records = logWith(3).partitions[0]?.slice(0, 5) ?? []
  const batch: SourceBatch = {
    count: 5,
    bytes: 50,
    first: 0,
    last: 4,
    lastTimestamp: 0,
    opaque: { format: 'test', bytes: Buffer.from('all of it') },
    records: () => {
      decoded += 1
      return records
    },
  }
  const cargo = new Cargo({ origin: 'o', partition: 'p' }, [wholeSlice(new Watermark().add(batch, 0))])
  const passed: string[] = []
  const aside: unknown[] = []
  let fails = 1
  const sink: Sink = {
    limits: { maxRecords: 100, maxBytes: 1e6 },
    open: () => Promise.resolve(),
    write: ({ opaque }) => {
      if (fails-- > 0) return Promise.reject(new BridgeError('busy', { kind: 'retryable', reason: 'Throttled' }))
      passed.push(`${opaque?.bytes}`)
      return Promise.resolve(new Map())
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  const end = await deliver(
    cargo,
    {
      sink,
      backoff: { initial: 1, max: 1 },
      clock: realClock,
      random: () => 0,
      delivered: () => undefined,
      setAside: (_, poison) => Promise.resolve(aside.push(...poison) > 0),
      failing: () => undefined,
      retried: () => undefined,
    },
    new AbortController().signal,
  )
  assert.deepEqual([end, passed, aside, decoded], ['delivered', ['all of it'], [], 0])
})
