import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../../../test/support/eventually.ts'
import { memoryEngine } from '../../../test/support/memory/engine.ts'
import { MemorySink } from '../../../test/support/memory/sink.ts'
import { memoryBatch } from '../../../test/support/memory/source.ts'
import type { BridgeRecord, Lag, PartitionReader, Source } from '../contracts.ts'
import { BridgeError } from '../errors.ts'

const record = (position: number): BridgeRecord => ({
  key: Buffer.from(`k${position % 7}`),
  value: Buffer.from(`${position}`),
  headers: [],
  timestamp: 0,
  position,
})

/** A shared partition of so many records, in batches of ten: a queue that hears of each settled record. */
class Queue implements Source {
  readonly settled = new Set<number>()
  readonly repeated: number[] = []
  lag: Lag = { kind: 'unknown', reason: 'a queue' }
  readonly #records: number
  #next = 0

  constructor(records: number) {
    this.#records = records
  }

  async run(host: Parameters<Source['run']>[0], signal: AbortSignal): Promise<void> {
    const reader: PartitionReader = {
      partition: 'queue',
      stream: undefined,
      epoch: 1,
      settlement: {
        kind: 'individual',
        settled: (batch, indexes) => {
          const records = batch.records()
          const chosen = indexes === 'all' ? records : indexes.map((index) => records[index])
          for (const each of chosen) {
            const position = Number(each?.position)
            if (this.settled.has(position)) this.repeated.push(position)
            this.settled.add(position)
          }
        },
      },
      poll: async (stopped) => {
        await new Promise((resolve) => setImmediate(resolve))
        const count = Math.min(10, this.#records - this.#next)
        if (count === 0) {
          await new Promise<void>((resolve) => stopped.addEventListener('abort', () => resolve(), { once: true }))
          return undefined
        }
        const batch = memoryBatch(Array.from({ length: count }, (_, index) => record(this.#next + index)))
        this.#next += count
        return batch
      },
      lag: () => this.lag,
    }
    host.connection(undefined)
    host.assigned(reader)
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    await host.revoked(reader, 'drain')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve()
  }
}

const engineOf = (queue: Queue, sink: MemorySink) =>
  memoryEngine(sink as never, sink, { openSource: () => Promise.resolve(queue) })

test('each record of a shared partition is settled once, when the sink has it', async () => {
  const queue = new Queue(500)
  const sink = new MemorySink({
    fail: ({ position }, write) => (Number(position) % 50 === 3 && write < 3 ? again : undefined),
  })
  const engine = engineOf(queue, sink)
  const stop = new AbortController()
  const running = engine.run(stop.signal)
  await eventually('all are settled', () => queue.settled.size === 500)
  assert.deepEqual(
    [...queue.settled].sort((a, b) => a - b),
    sink.stored.map(({ position }) => Number(position)).sort((a, b) => a - b),
  )
  assert.deepEqual(queue.repeated, [])
  assert.notEqual(engine.statistics.lastCommitAt, undefined, 'a settlement is what a commit is elsewhere')
  stop.abort()
  await running
})

test('a drain settles what the sink has taken and counts only what it has not', async () => {
  const queue = new Queue(100_000)
  const sink = new MemorySink()
  const engine = engineOf(queue, sink)
  const stop = new AbortController()
  const running = engine.run(stop.signal)
  await eventually('some are settled', () => queue.settled.size > 100)
  stop.abort()
  await running
  assert.equal(engine.abandoned, 0)
  assert.equal(queue.settled.size, sink.stored.length)
})

test('a shared partition that gives nothing is idle, whatever others hold of it', async () => {
  const queue = new Queue(10)
  queue.lag = { kind: 'known', records: 1_000, seconds: 60 }
  const engine = engineOf(queue, new MemorySink())
  const stop = new AbortController()
  const running = engine.run(stop.signal)
  await eventually('all are settled', () => queue.settled.size === 10)
  await eventually('nothing is in flight', () => engine.pumps[0]?.inFlightRecords === 0)
  assert.equal(engine.pumps[0]?.busy, false)
  stop.abort()
  await running
})

const again = new BridgeError('throttled', { kind: 'retryable', reason: 'Throttled' })
