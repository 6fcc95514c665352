import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Expansion, scan } from './fetched.ts'
import { stampBatch } from './record-batch.ts'
import { encodeBatch, sourcePrefix } from './record-encoder.ts'

interface Shape {
  readonly offset: number
  readonly values: readonly string[]
  readonly producer?: bigint
  readonly kind?: 'transactional' | 'commit' | 'abort'
}

async function batch({ offset, values, producer = -1n, kind }: Shape): Promise<Buffer> {
  const key = kind === 'commit' ? Buffer.from([0, 0, 0, 1]) : kind === 'abort' ? Buffer.from([0, 0, 0, 0]) : null
  const records = values.map((value, position) => ({
    key,
    value: Buffer.from(value),
    headers: [],
    timestamp: 10,
    position,
  }))
  const bytes = await encodeBatch(records, sourcePrefix('o'), 'None')
  bytes.writeBigInt64BE(BigInt(offset), 0)
  if (kind !== undefined) bytes.writeInt16BE(kind === 'transactional' ? 0x10 : 0x30, 21)
  stampBatch(bytes, { producerId: producer, epoch: 0, sequence: 0 })
  return bytes
}

const expansion = (): Expansion => ({ ratio: 4 })
const valuesOf = (scanned: ReturnType<typeof scan>): string[] =>
  scanned.batches.flatMap((one) => one.records().map(({ value }) => String(value)))

test('small batches are handed out as one, with the bytes they came in', async () => {
  const bytes = Buffer.concat([
    await batch({ offset: 5, values: ['a', 'b'] }),
    await batch({ offset: 7, values: ['c'] }),
  ])
  const { batches, next } = scan({ bytes, from: 5, aborted: [] }, expansion())
  assert.equal(batches.length, 1)
  const [one] = batches
  assert.deepEqual([one?.count, one?.first, one?.last, next], [3, 5, 7, 8])
  assert.ok(one?.opaque?.bytes.equals(bytes))
  assert.deepEqual(
    one?.records().map(({ position }) => position),
    [5, 6, 7],
  )
})

test('a start inside a batch leaves out what came before, and its bytes are not passed on', async () => {
  const bytes = Buffer.concat([
    await batch({ offset: 5, values: ['a', 'b', 'c'] }),
    await batch({ offset: 8, values: ['d'] }),
  ])
  const scanned = scan({ bytes, from: 7, aborted: [] }, expansion())
  assert.deepEqual(valuesOf(scanned), ['c', 'd'])
  assert.deepEqual(
    scanned.batches.map(({ first, count, opaque }) => [first, count, opaque !== undefined]),
    [
      [7, 1, false],
      [8, 1, true],
    ],
  )
})

test('records of aborted transactions and markers are left out and settled with what came before', async () => {
  const bytes = Buffer.concat([
    await batch({ offset: 0, values: ['open'], producer: 1n, kind: 'transactional' }),
    await batch({ offset: 1, values: ['gone'], producer: 2n, kind: 'transactional' }),
    await batch({ offset: 2, values: ['marker'], producer: 2n, kind: 'abort' }),
    await batch({ offset: 3, values: ['again'], producer: 2n, kind: 'transactional' }),
    await batch({ offset: 4, values: ['marker'], producer: 2n, kind: 'commit' }),
    await batch({ offset: 5, values: ['marker'], producer: 1n, kind: 'commit' }),
  ])
  const scanned = scan({ bytes, from: 0, aborted: [{ producerId: 2n, firstOffset: 1 }] }, expansion())
  assert.deepEqual(valuesOf(scanned), ['open', 'again'])
  assert.deepEqual(
    scanned.batches.map(({ next }) => next),
    [3, 6],
  )
  assert.equal(scanned.next, 6)
})

test('a damaged batch is an error behind the good ones before it', async () => {
  const damaged = await batch({ offset: 1, values: ['b'] })
  damaged[70] = (damaged[70] ?? 0) ^ 1
  const scanned = scan(
    { bytes: Buffer.concat([await batch({ offset: 0, values: ['a'] }), damaged]), from: 0, aborted: [] },
    expansion(),
  )
  assert.deepEqual(valuesOf(scanned), ['a'])
  assert.equal(scanned.next, 1)
  assert.ok(scanned.error instanceof Error)
})

test('a batch that the answer cut off is fetched again, wherever it was cut', async () => {
  const first = await batch({ offset: 0, values: ['a'] })
  const second = await batch({ offset: 1, values: ['b'] })
  const whole = Buffer.concat([first, second])
  fc.assert(
    fc.property(fc.integer({ min: first.length, max: whole.length - 1 }), (length) => {
      const scanned = scan({ bytes: whole.subarray(0, length), from: 0, aborted: [] }, expansion())
      return scanned.next === 1 && scanned.batches.length === 1 && scanned.error === undefined
    }),
  )
})

test('compressed batches count as what the last ones took when decoded', async () => {
  const records = Array.from({ length: 50 }, (_, position) => ({
    key: null,
    value: Buffer.alloc(1_000, 'a'),
    headers: [],
    timestamp: 1,
    position,
  }))
  const bytes = await encodeBatch(records, sourcePrefix('o'), 'Gzip')
  stampBatch(bytes, { producerId: -1n, epoch: -1, sequence: -1 })
  const learned = expansion()
  const [before] = scan({ bytes, from: 0, aborted: [] }, learned).batches
  assert.equal(before?.bytes, bytes.length * 4)
  before?.records()
  const [after] = scan({ bytes, from: 0, aborted: [] }, learned).batches
  assert.ok((after?.bytes ?? 0) >= 50_000)
})
