import assert from 'node:assert/strict'
import test from 'node:test'
import type { PutRecordsRequestEntry } from '@aws-sdk/client-kinesis'
import fc from 'fast-check'
import { eventually } from '../../../../test/support/eventually.ts'
import { fakeKinesis } from '../../../../test/support/kinesis-fake/fake-kinesis.ts'
import { realClock } from '../../../core/clock.ts'
import type { BridgeRecord, SinkBatch } from '../../../core/contracts.ts'
import type { EntryFailure } from '../connection.ts'
import { translate } from '../errors.ts'
import { kinesisSink as schema } from '../schema.ts'
import { kinesisSink } from '../sink.ts'
import { sinkBatch } from '../../../../test/support/sink-batch.ts'

const record = (key: string | null, value: string | null, position: number): BridgeRecord => ({
  key: key === null ? null : Buffer.from(key),
  value: value === null ? null : Buffer.from(value),
  headers: [],
  timestamp: 0,
  position,
})

const batch = (records: readonly BridgeRecord[], partition = 'p'): SinkBatch =>
  sinkBatch(records, { stream: 'memory/log', partition })

const config = (more: object = {}) => schema.parse({ streamName: 'orders', region: 'eu-west-1', ...more })
const never = new AbortController().signal
const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const throttled: EntryFailure = { code: 'ProvisionedThroughputExceededException', message: 'slow down' }

type Respond = (entries: readonly PutRecordsRequestEntry[]) => Promise<readonly EntryFailure[]>
const sinkOf = (respond: Respond, more: object = {}) =>
  kinesisSink(fakeKinesis(respond), config(more), { clock: realClock, field: 'spec.sink.kinesis' })

test('whatever fails, in part or after storing, a repeated write keeps the order of each key, and one key is never sent twice at once', async () => {
  const plan = fc.record({
    keys: fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 60 }),
    faults: fc.array(fc.constantFrom('none', 'part', 'before', 'after'), { maxLength: 30 }),
    parts: fc.infiniteStream(fc.boolean()),
    maxRecords: fc.integer({ min: 1, max: 8 }),
  })
  await fc.assert(
    fc.asyncProperty(plan, async ({ keys, faults, parts, maxRecords }) => {
      const arrived: string[] = []
      const sending = new Set<string>()
      const respond: Respond = async (entries) => {
        const names = entries.map(({ PartitionKey = '' }) => PartitionKey)
        assert.equal(new Set(names).size, names.length, 'one record per key and request')
        assert.ok(names.length <= maxRecords)
        for (const name of names) assert.ok(!sending.has(name), 'one request per key')
        for (const name of names) sending.add(name)
        await pause()
        for (const name of names) sending.delete(name)
        const fault = faults.shift() ?? 'none'
        if (fault === 'before') throw new Error('connection refused')
        const results = entries.map(() => (fault === 'part' && parts.next().value === true ? throttled : undefined))
        // The service promises no order within a request: the worst is assumed.
        for (const [index, entry] of [...entries.entries()].reverse()) {
          if (results[index] === undefined) arrived.push(Buffer.from(entry.Data ?? '').toString())
        }
        if (fault === 'after') throw new Error('connection reset')
        return results
      }
      const sink = sinkOf(respond, { limits: { maxRecords } })
      const lane = async (partition: number): Promise<void> => {
        let rest = keys.map((key, n) => record(`${partition}/${key}`, `${partition}/${key} ${n}`, n))
        while (rest.length > 0) {
          const result = await sink.write(batch(rest, String(partition)), never)
          rest = rest.filter((_, index) => result.has(index))
        }
      }
      await Promise.all([lane(0), lane(1), lane(2)])
      const newest = new Map<string, number>()
      const seen = new Set<string>()
      for (const value of arrived) {
        const [key = '', n] = value.split(' ')
        if (seen.has(value)) continue
        seen.add(value)
        assert.ok(Number(n) > (newest.get(key) ?? -1), `${value} came too late`)
        newest.set(key, Number(n))
      }
      assert.equal(seen.size, keys.length * 3)
    }),
    { numRuns: 150 },
  )
})

test('writes that begin together share requests', async () => {
  const sizes: number[] = []
  const sink = sinkOf(async (entries) => {
    sizes.push(entries.length)
    return []
  })
  const write = (partition: number) =>
    sink.write(
      batch(
        Array.from({ length: 50 }, (_, n) => record(`${partition}-${n}`, 'v', n)),
        String(partition),
      ),
      never,
    )
  const results = await Promise.all([0, 1, 2, 3].map(write))
  assert.ok(results.every(({ size }) => size === 0))
  assert.deepEqual(sizes, [200])
})

test('beside others a request goes when it holds as many keys as they do; fewer keys wait for the answer and go together', async () => {
  const requests: { readonly keys: number; readonly answer: () => void }[] = []
  const respond: Respond = (entries) =>
    new Promise((resolve) =>
      requests.push({ keys: entries.length, answer: () => resolve(entries.map(() => undefined)) }),
    )
  const patient = { ...realClock, sleep: () => new Promise<void>(() => undefined) }
  const sink = kinesisSink(fakeKinesis(respond), config(), { clock: patient, field: 'spec.sink.kinesis' })
  const write = (name: string, count: number) =>
    sink.write(batch(Array.from({ length: count }, (_, n) => record(`${name}${n}`, 'v', n))), never)
  const sizes = (): number[] => requests.map(({ keys }) => keys)
  const writes = [write('a', 4)]
  await eventually('the first request', () => requests.length === 1)
  writes.push(write('b', 4))
  await eventually('a second one that is worth it', () => requests.length === 2)
  writes.push(write('c', 3))
  await pause()
  writes.push(write('d', 3))
  await pause()
  assert.deepEqual(sizes(), [4, 4])
  requests[0]?.answer()
  await eventually('the third request', () => requests.length === 3)
  assert.deepEqual(sizes(), [4, 4, 6])
  for (const { answer } of requests) answer()
  await Promise.all(writes)
})

test('no answer for a while does not hold up other keys', async () => {
  const requests: string[][] = []
  const sink = sinkOf((entries) => {
    requests.push(entries.map(({ PartitionKey = '' }) => PartitionKey))
    return requests.length === 1 ? new Promise(() => undefined) : Promise.resolve(entries.map(() => undefined))
  })
  const aborting = new AbortController()
  const stuck = sink.write(batch(['a', 'b'].map((key, n) => record(key, 'v', n))), aborting.signal)
  await eventually('the first request', () => requests.length === 1)
  assert.equal((await sink.write(batch([record('c', 'v', 0)]), never)).size, 0)
  assert.deepEqual(requests, [['a', 'b'], ['c']])
  aborting.abort()
  await stuck
})

test('records settle when the request that holds them is answered, not when the whole write is', async () => {
  const stored: number[][] = []
  const requests: (() => void)[] = []
  const sink = sinkOf((entries) => new Promise((resolve) => requests.push(() => resolve(entries.map(() => undefined)))))
  const records = ['a', 'b', 'a'].map((key, n) => record(key, 'v', n))
  const result = sink.write(batch(records), never, (indexes) => stored.push([...indexes]))
  await eventually('the first request', () => requests.length === 1)
  requests[0]?.()
  await eventually('the second request', () => requests.length === 2)
  assert.deepEqual(stored, [[0, 1]])
  requests[1]?.()
  assert.equal((await result).size, 0)
})

test('relaxed ordering sends a key many times in one request', async () => {
  const sizes: number[] = []
  const sink = sinkOf(
    async (entries) => {
      sizes.push(entries.length)
      return []
    },
    { ordering: 'Relaxed' },
  )
  await sink.write(batch(Array.from({ length: 100 }, (_, n) => record('k', String(n), n))), never)
  assert.deepEqual(sizes, [100])
})

test('a request keeps the limit of bytes', async () => {
  const sizes: number[] = []
  const sink = sinkOf(
    async (entries) => {
      sizes.push(entries.reduce((sum, { Data }) => sum + (Data?.length ?? 0), 0))
      return []
    },
    { limits: { maxRequestBytes: '1000' } },
  )
  await sink.write(batch(Array.from({ length: 9 }, (_, n) => record(`k${n}`, 'x'.repeat(400), n))), never)
  assert.deepEqual(sizes, [800, 800, 800, 800, 400])
})

test('a record that is too large, and one without a value, is poison; later ones of its key wait for it', async () => {
  const stored: string[] = []
  const sink = sinkOf(
    async (entries) => {
      stored.push(...entries.map(({ PartitionKey = '' }) => PartitionKey))
      return []
    },
    { limits: { maxRecordBytes: '10' } },
  )
  const records = [
    record('a', 'x'.repeat(10), 0),
    record('b', null, 1),
    record('a', 'x', 2),
    record('c', 'x', 3),
    record('d', '', 4),
  ]
  const result = await sink.write(batch(records), never)
  assert.deepEqual(
    [...result].sort(([a], [b]) => a - b).map(([index, { kind, reason }]) => [index, kind, reason]),
    [
      [0, 'poison', 'RecordTooLarge'],
      [1, 'poison', 'NullValue'],
      [2, 'retryable', 'HeldBack'],
    ],
  )
  assert.deepEqual(stored, ['c', 'd'])
})

test('the record that a refused request names is poison, the others are sent again', async () => {
  const message = "1 validation error detected: Value at 'records.2.member.data' failed to satisfy constraint"
  const sink = sinkOf(async () => {
    throw new Error(message)
  })
  const refusing = kinesisSink(
    {
      ...fakeKinesis(),
      put: async () => Promise.reject(translate({ name: 'ValidationException', message }, 'kinesis:PutRecords')),
    },
    config(),
    { clock: realClock, field: 'spec.sink.kinesis' },
  )
  const records = ['a', 'b', 'c'].map((key, n) => record(key, 'v', n))
  const result = await refusing.write(batch(records), never)
  assert.deepEqual(
    [0, 1, 2].map((index) => result.get(index)?.kind),
    ['fatal', 'poison', 'fatal'],
  )
  const unknown = await sink.write(batch(records), never)
  assert.deepEqual(
    [0, 1, 2].map((index) => unknown.get(index)?.kind),
    ['retryable', 'retryable', 'retryable'],
  )
})

test('throttled entries say so', async () => {
  const sink = sinkOf(async (entries) => entries.map(() => throttled))
  const result = await sink.write(batch([record('a', 'v', 0)]), never)
  assert.deepEqual([result.get(0)?.kind, result.get(0)?.reason], ['retryable', 'Throttled'])
})

test('a write that is given up resolves at once, and its key stays closed until the request is over', async () => {
  const order: string[] = []
  let release: () => void = () => undefined
  const sink = sinkOf(async (entries) => {
    const [first] = entries.map(({ Data }) => Buffer.from(Data ?? '').toString())
    order.push(`begin ${first}`)
    if (first === 'one')
      await new Promise<void>((resolve) => {
        release = resolve
      })
    order.push(`end ${first}`)
    return []
  })
  const stop = new AbortController()
  const first = sink.write(batch([record('k', 'one', 0), record('k', 'never', 1)]), stop.signal)
  await pause()
  await pause()
  stop.abort()
  const result = await first
  assert.deepEqual([...result.keys()], [0, 1])
  const second = sink.write(batch([record('k', 'two', 2)]), never)
  await pause()
  release()
  assert.equal((await second).size, 0)
  assert.deepEqual(order, ['begin one', 'end one', 'begin two', 'end two'])
})
