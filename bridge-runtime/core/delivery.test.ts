import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Cargo, wholeSlice } from './cargo.ts'
import { realClock } from './clock.ts'
import type { Sink, SinkBatch, WriteResult } from './contracts.ts'
import { batchOf } from './dead-letter.ts'
import { deliver, heldBack, type DeliveryOptions } from './delivery.ts'
import { BridgeError } from './errors.ts'
import { Watermark } from './watermark.ts'

const busy = new BridgeError('slow down', { kind: 'retryable', reason: 'Throttled' })
const tooLarge = new BridgeError('too large', { kind: 'poison', reason: 'RecordTooLarge' })

const cargoOf = (keys: readonly string[]) =>
  new Cargo({ origin: 'o', partition: 'p' }, [
    wholeSlice(
      new Watermark().add(
        batchOf(
          keys.map((key, position) => ({
            key: Buffer.from(key),
            value: Buffer.from(`${position}`),
            headers: [],
            timestamp: 0,
            position,
          })),
          keys.length,
        ),
        0,
      ),
    ),
  ])

/** A sink that follows the contract: of each key it stores a prefix, then fails as the script says. */
function scriptedSink(script: (position: number, attempt: number) => BridgeError | undefined, stored: number[]): Sink {
  let attempt = 0
  return {
    limits: { maxRecords: 1000, maxBytes: 1e6 },
    open: () => Promise.resolve(),
    write: (batch: SinkBatch): Promise<WriteResult> => {
      const failures = new Map<number, BridgeError>()
      const blocked = new Set<string>()
      for (const [index, record] of batch.records().entries()) {
        const key = `${record.key}`
        const error = blocked.has(key) ? heldBack : script(Number(record.position), attempt)
        if (error === undefined) stored.push(Number(record.position))
        else {
          failures.set(index, error)
          blocked.add(key)
        }
      }
      attempt += 1
      return Promise.resolve(failures)
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

function options(sink: Sink, settled: number[], aside: number[], keepGoing = true): DeliveryOptions {
  return {
    sink,
    backoff: { initial: 1, max: 1 },
    clock: { ...realClock, sleep: () => Promise.resolve() },
    random: () => 0,
    delivered: (cargo, indexes) => {
      for (const index of indexes === 'all' ? cargo.records().keys() : indexes)
        settled.push(Number(cargo.records()[index]?.position))
    },
    setAside: (cargo, poison) => {
      for (const { index } of poison) aside.push(Number(cargo.records()[index]?.position))
      return Promise.resolve(keepGoing)
    },
    failing: () => undefined,
    retried: () => undefined,
  }
}

test('whatever fails for a while, each record is delivered once or set aside, and each key keeps its order', async () => {
  const scenario = fc.record({
    keys: fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 30 }),
    failures: fc.array(fc.tuple(fc.nat(29), fc.integer({ min: 1, max: 5 })), { maxLength: 10 }),
    poison: fc.array(fc.nat(29), { maxLength: 4 }),
  })
  await fc.assert(
    fc.asyncProperty(scenario, async ({ keys, failures, poison }) => {
      const until = new Map(failures)
      const stored: number[] = []
      const settled: number[] = []
      const aside: number[] = []
      const sink = scriptedSink((position, attempt) => {
        if (attempt < (until.get(position) ?? 0)) return busy
        return poison.includes(position) ? tooLarge : undefined
      }, stored)
      const end = await deliver(cargoOf(keys), options(sink, settled, aside), new AbortController().signal)
      assert.equal(end, 'delivered')
      assert.deepEqual(
        [...stored, ...aside].sort((a, b) => a - b),
        [...keys.keys()],
      )
      assert.deepEqual(
        [...settled].sort((a, b) => a - b),
        [...stored].sort((a, b) => a - b),
      )
      for (const key of new Set(keys)) {
        const own = stored.filter((position) => keys[position] === key)
        assert.deepEqual(
          own,
          [...own].sort((a, b) => a - b),
          `order of key ${key}`,
        )
      }
    }),
  )
})

test('a rejected request counts as a failure of every record, and all are sent again', async () => {
  const stored: number[] = []
  const settled: number[] = []
  const sink = scriptedSink(() => undefined, stored)
  let calls = 0
  const flaky: Sink = {
    ...sink,
    write: (batch, signal) =>
      calls++ === 0 ? Promise.reject(new Error('connection reset')) : sink.write(batch, signal),
  }
  await deliver(cargoOf(['a', 'b']), options(flaky, settled, []), new AbortController().signal)
  assert.deepEqual([calls, settled], [2, [0, 1]])
})

test('a rejection that claims to be poison never sets records aside', async () => {
  const aside: number[] = []
  let calls = 0
  const sink: Sink = {
    ...scriptedSink(() => undefined, []),
    write: () => (calls++ === 0 ? Promise.reject(tooLarge) : Promise.resolve(new Map())),
  }
  await deliver(cargoOf(['a']), options(sink, [], aside), new AbortController().signal)
  assert.deepEqual(aside, [])
})

test('a record that stops the partition leaves itself and what follows its key unsettled', async () => {
  const settled: number[] = []
  const sink = scriptedSink((position) => (position === 1 ? tooLarge : undefined), [])
  const end = await deliver(
    cargoOf(['a', 'b', 'b', 'c']),
    options(sink, settled, [], false),
    new AbortController().signal,
  )
  assert.equal(end, 'halted')
  assert.deepEqual(settled, [0, 3])
})

test('an abort settles what the sink has acknowledged and nothing else', async () => {
  const abort = new AbortController()
  const settled: number[] = []
  const sink = scriptedSink((position) => {
    abort.abort()
    return position === 1 ? busy : undefined
  }, [])
  assert.equal(await deliver(cargoOf(['a', 'b']), options(sink, settled, []), abort.signal), 'aborted')
  assert.deepEqual(settled, [0])
})

test('what a sink reports as stored settles before the write ends, and once', async () => {
  const settled: number[] = []
  let answer: (failures: WriteResult) => void = () => undefined
  const sink: Sink = {
    ...scriptedSink(() => undefined, []),
    write: (_batch, _signal, stored) => {
      stored?.([2, 0])
      return new Promise((resolve) => {
        answer = resolve
      })
    },
  }
  const end = deliver(cargoOf(['a', 'b', 'c']), options(sink, settled, []), new AbortController().signal)
  assert.deepEqual(settled, [0, 2])
  answer(new Map())
  assert.equal(await end, 'delivered')
  assert.deepEqual(settled, [0, 2, 1])
})

test('a write that is rejected sends again only what was not reported as stored', async () => {
  const settled: number[] = []
  const stored: number[] = []
  const sink = scriptedSink(() => undefined, stored)
  let calls = 0
  const cutOff: Sink = {
    ...sink,
    write: (batch, signal, report) => {
      if (calls++ > 0) return sink.write(batch, signal)
      report?.([1])
      return Promise.reject(new Error('connection reset'))
    },
  }
  await deliver(cargoOf(['a', 'b', 'c']), options(cutOff, settled, []), new AbortController().signal)
  assert.deepEqual(stored, [0, 2])
  assert.deepEqual(settled, [1, 0, 2])
})
