import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { realClock } from '../clock.ts'
import { InFlightBatch } from '../commit/in-flight-batch.ts'
import type { Sink, SinkBatch, WriteResult } from '../contracts.ts'
import { BridgeError } from '../errors.ts'
import { deadLettering } from './dead-lettering.ts'
import { batchOf, deadLetterHeaders } from './dead-letter-record.ts'
import { heldBack } from './held-back.ts'
import { readableOnly } from './readable-only.ts'
import { retrying } from './retrying.ts'
import { WriteBatch, wholeSlice } from './write-batch.ts'
import { sinkWriter, untold, type Writer } from './writer.ts'

const busy = new BridgeError('slow down', { kind: 'retryable', reason: 'Throttled' })
const tooLarge = new BridgeError('too large', { kind: 'poison', reason: 'RecordTooLarge' })

const writeBatchOf = (keys: readonly string[]) =>
  new WriteBatch({ origin: 'o', partition: 'p', stream: 's', epoch: 1 }, [
    wholeSlice(
      new InFlightBatch(
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

/** As a lane writes: what the sink has settles its positions, what is poison is set aside or stops the lane. */
function laneOf(sink: Sink, settled: number[], aside: number[], keepGoing = true): Writer {
  const clock = { ...realClock, sleep: () => Promise.resolve() }
  const letters: Writer = {
    write: (batch) => {
      for (const { position } of batch.records()) aside.push(Number(position))
      return Promise.resolve(new Map())
    },
  }
  const stored = sinkWriter(sink, {
    ...untold,
    durable: (parts) => {
      for (const { batch, indexes } of parts)
        for (const index of indexes === 'all' ? batch.records().keys() : indexes)
          settled.push(Number(batch.records()[index]?.position))
    },
  })
  const once = deadLettering(readableOnly(stored), {
    deadLetters: keepGoing ? letters : undefined,
    deadLettered: () => undefined,
    halt: () => undefined,
  })
  const backoff = { initial: 1, max: 1 }
  return retrying(once, { backoff, clock, random: () => 0, failing: () => undefined, retried: () => undefined })
}

const never = new AbortController().signal

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
      const end = await laneOf(sink, settled, aside).write(writeBatchOf(keys), never)
      assert.equal(end.size, 0)
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
  await laneOf(flaky, settled, []).write(writeBatchOf(['a', 'b']), never)
  assert.deepEqual([calls, settled], [2, [0, 1]])
})

test('a rejection that claims to be poison never sets records aside', async () => {
  const aside: number[] = []
  let calls = 0
  const sink: Sink = {
    ...scriptedSink(() => undefined, []),
    write: () => (calls++ === 0 ? Promise.reject(tooLarge) : Promise.resolve(new Map())),
  }
  await laneOf(sink, [], aside).write(writeBatchOf(['a']), never)
  assert.deepEqual(aside, [])
})

test('a record that stops the partition leaves itself and what follows its key unsettled', async () => {
  const settled: number[] = []
  const sink = scriptedSink((position) => (position === 1 ? tooLarge : undefined), [])
  const end = await laneOf(sink, settled, [], false).write(writeBatchOf(['a', 'b', 'b', 'c']), never)
  assert.deepEqual(
    [...end].map(([index, { kind }]) => [index, kind]),
    [
      [1, 'poison'],
      [2, 'retryable'],
    ],
  )
  assert.deepEqual(settled, [0, 3])
})

test('an abort settles what the sink has acknowledged and nothing else', async () => {
  const abort = new AbortController()
  const settled: number[] = []
  const sink = scriptedSink((position) => {
    abort.abort()
    return position === 1 ? busy : undefined
  }, [])
  const end = await laneOf(sink, settled, []).write(writeBatchOf(['a', 'b']), abort.signal)
  assert.deepEqual([...end.keys()], [1])
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
  const end = laneOf(sink, settled, []).write(writeBatchOf(['a', 'b', 'c']), never)
  assert.deepEqual(settled, [0, 2])
  answer(new Map())
  assert.equal((await end).size, 0)
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
  await laneOf(cutOff, settled, []).write(writeBatchOf(['a', 'b', 'c']), never)
  assert.deepEqual(stored, [0, 2])
  assert.deepEqual(settled, [1, 0, 2])
})

test('failures are told by index into what was written, however often the rest was written again', async () => {
  const sink = scriptedSink((position, attempt) => {
    if (position <= attempt) return undefined
    return attempt === 2 && position === 5 ? tooLarge : busy
  }, [])
  const end = await laneOf(sink, [], [], false).write(writeBatchOf(['a', 'b', 'c', 'd', 'e', 'f']), never)
  assert.deepEqual(
    [...end],
    [
      [3, busy],
      [4, busy],
      [5, tooLarge],
    ],
  )
})

test('a dead-letter record says how many writes were tried with it', async () => {
  const attempts: string[] = []
  const letters: Writer = {
    write: (batch) => {
      for (const { headers } of batch.records())
        attempts.push(`${headers.find(({ name }) => name === deadLetterHeaders.attempts)?.value}`)
      return Promise.resolve(new Map())
    },
  }
  const sink = scriptedSink((position, attempt) => (attempt < 2 ? busy : position === 0 ? tooLarge : undefined), [])
  const once = deadLettering(sinkWriter(sink, untold), {
    deadLetters: letters,
    deadLettered: () => undefined,
    halt: () => assert.fail('it is set aside'),
  })
  const clock = { ...realClock, sleep: () => Promise.resolve() }
  const lane = retrying(once, {
    backoff: { initial: 1, max: 1 },
    clock,
    random: () => 0,
    failing: () => undefined,
    retried: () => undefined,
  })
  assert.equal((await lane.write(writeBatchOf(['a', 'b']), never)).size, 0)
  assert.deepEqual(attempts, ['3'])
})
