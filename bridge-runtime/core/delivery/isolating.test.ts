import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../../../test/support/eventually.ts'
import { memoryEngine } from '../../../test/support/memory/engine.ts'
import { MemorySink } from '../../../test/support/memory/sink.ts'
import { MemoryLog, MemorySource } from '../../../test/support/memory/source.ts'
import type { SinkBatch, WriteResult } from '../contracts.ts'
import { deadLetterHeaders } from './dead-letter-record.ts'

const outOfRange = new RangeError('The value of "value" is out of range')

function logOf(count: number): MemoryLog {
  const log = new MemoryLog(1)
  for (let offset = 0; offset < count; offset += 1) log.append(0, `${offset % 3}`, `${offset}`)
  return log
}

/** A connector with a fault: its encoder throws for what it has not thought of, and with that gives up the whole request. */
class FaultySink extends MemorySink {
  readonly #throws: (batch: SinkBatch) => unknown
  constructor(throws: (batch: SinkBatch) => unknown) {
    super({ limits: { maxRecords: 100, maxBytes: 1e6 } })
    this.#throws = throws
  }

  override write(batch: SinkBatch): Promise<WriteResult> {
    const thrown = this.#throws(batch)
    return thrown === undefined ? super.write(batch) : Promise.reject(thrown)
  }
}

const holding =
  (...positions: readonly number[]) =>
  (batch: SinkBatch): unknown =>
    batch.records().some(({ position }) => positions.includes(Number(position))) ? outOfRange : undefined

const run = (log: MemoryLog, sink: MemorySink, letters: MemorySink): Promise<void> =>
  memoryEngine(new MemorySource(log, { finite: true }), sink, {
    openDeadLetterSink: () => Promise.resolve(letters),
  }).run(new AbortController().signal)

test('a record at which a connector throws is a dead letter, and all others are delivered once and in their order', async () => {
  const log = logOf(60)
  const sink = new FaultySink(holding(7, 8, 59))
  const letters = new MemorySink()
  await run(log, sink, letters)
  assert.deepEqual(
    letters.stored.map(({ position }) => Number(position)).toSorted((a, b) => a - b),
    [7, 8, 59],
  )
  const headers = Object.fromEntries((letters.stored[0]?.headers ?? []).map(({ name, value }) => [name, `${value}`]))
  assert.equal(headers[deadLetterHeaders.reason], 'EncodingFault')
  assert.match(headers[deadLetterHeaders.message] ?? '', /RangeError: The value of "value" is out of range/)
  assert.deepEqual([sink.stored.length, log.committed[0]], [57, 60])
  for (const key of ['0', '1', '2']) {
    const positions = sink.stored.filter((record) => `${record.key}` === key).map(({ position }) => Number(position))
    assert.deepEqual(
      positions,
      positions.toSorted((a, b) => a - b),
    )
  }
})

test('without a dead-letter sink the partition stops at the record at which a connector throws, behind all that is before it', async () => {
  const log = logOf(30)
  const sink = new FaultySink(holding(7))
  const engine = memoryEngine(new MemorySource(log), sink, { sinkLanes: 1 })
  const stop = new AbortController()
  const running = engine.run(stop.signal)
  const halted = await eventually('the partition is halted', () => engine.pumps[0]?.halted)
  assert.equal(halted.reason, 'StoppedAtRecord')
  assert.match(halted.message, /^memory\/log\/memory\/0 at 7 cannot be delivered: .*fault of StreamBridge/)
  await eventually('what is before it is committed', () => log.committed[0] === 7)
  stop.abort()
  await running
  assert.equal(sink.stored.length, 7)
})

test('a connector that threw at a record works once the record is set aside', async () => {
  const log = logOf(1)
  const sink = new FaultySink(holding(0))
  const told: (string | undefined)[] = []
  await memoryEngine(new MemorySource(log, { finite: true }), sink, {
    openDeadLetterSink: () => Promise.resolve(new MemorySink()),
    onChange: (_component, error) => void told.push(error?.reason),
  }).run(new AbortController().signal)
  assert.deepEqual(told, ['EncodingFault', undefined])
})

test('what throws now and works again later sets no record aside', async () => {
  for (const thrown of [new TypeError('of undefined'), new RangeError('Array buffer allocation failed'), 'text']) {
    const log = logOf(1)
    let left = thrown instanceof TypeError ? 2 : 6
    const sink = new FaultySink(() => (left-- > 0 ? thrown : undefined))
    const letters = new MemorySink()
    await run(log, sink, letters)
    assert.deepEqual([sink.stored.length, letters.stored.length, log.committed[0]], [1, 0, 1])
  }
})
