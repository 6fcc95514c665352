import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../../../test/support/eventually.ts'
import { memoryEngine } from '../../../test/support/memory/engine.ts'
import { MemorySink } from '../../../test/support/memory/sink.ts'
import { MemoryLog, MemorySource } from '../../../test/support/memory/source.ts'
import { deadLetterHeaders } from './dead-letter-record.ts'
import { BridgeError } from '../errors.ts'

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
  assert.equal(engine.errors.newest('source')?.error.reason, 'UnreadableRecord')
  assert.equal(engine.errors.newest('sink'), undefined)
  stop.abort()
  await running
  assert.deepEqual([sink.stored.length, log.committed[0]], [7, 7])
})
