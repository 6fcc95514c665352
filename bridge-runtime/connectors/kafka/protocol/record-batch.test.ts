import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { BridgeRecord } from '../../../core/contracts.ts'
import { sourceIdHeader } from '../../../core/contracts.ts'
import { type Compression, codecNumbers } from './compression.ts'
import { checksumHolds, headerSize, OldFormatError, readHeader, stampBatch } from './record-batch.ts'
import { decodeRecords } from './record-decoder.ts'
import { encodeBatch, recordBound, sourcePrefix } from './record-encoder.ts'
import { Cursor, varintSize, varlongSize, writeVarint, writeVarlong } from './varint.ts'

const prefix = sourcePrefix('kafka/orders/0')
const stamp = { producerId: 7n, epoch: 1, sequence: 42 }
const compressions = Object.keys(codecNumbers) as Compression[]

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
const nullable = fc.option(bytes, { nil: null })
const record: fc.Arbitrary<BridgeRecord> = fc.record({
  key: nullable,
  value: nullable,
  headers: fc.array(
    fc.tuple(fc.string({ unit: 'grapheme', maxLength: 12 }), nullable).map(([name, value]) => ({ name, value })),
    {
      maxLength: 4,
    },
  ),
  timestamp: fc.oneof(fc.integer({ min: -1, max: 4_102_444_800_000 }), fc.constantFrom(-1, 0, 1, 2 ** 31, 2 ** 40)),
  position: fc.oneof(fc.nat(), fc.string({ maxLength: 20, unit: fc.integer({ min: 0, max: 9 }).map(String) })),
})

/** What the sink is expected to have made of it at offset `index`. */
const written = (original: BridgeRecord, index: number): BridgeRecord => ({
  ...original,
  headers: [...original.headers, { name: sourceIdHeader, value: Buffer.from(`${prefix}${original.position}`) }],
  position: index,
})

for (const compression of compressions) {
  test(`records come back as they were through a batch with compression ${compression}`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 20 }), async (records) => {
        const batch = await encodeBatch(records, prefix, compression)
        stampBatch(batch, stamp)
        assert.ok(checksumHolds(batch))
        assert.deepEqual(decodeRecords(batch), records.map(written))
        const header = readHeader(batch, 0)
        assert.equal(header?.size, batch.length)
        assert.equal(header.count, records.length)
        assert.equal(header.lastOffset, records.length - 1)
        assert.equal(header.maxTimestamp, Math.max(...records.map(({ timestamp }) => timestamp)))
      }),
      { numRuns: 60 },
    )
  })
}

test('a record never takes more than the bound by which batches are cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 10 }), async (records) => {
      const batch = await encodeBatch(records, prefix, 'None')
      const bound = records.reduce((sum, one) => sum + recordBound(one, prefix), headerSize)
      assert.ok(batch.length <= bound, `${batch.length} > ${bound}`)
    }),
  )
})

test('a large value and a thousand records survive', async () => {
  const large = { key: null, value: Buffer.alloc(3_000_000, 'x'), headers: [], timestamp: 1, position: 0 }
  const [back] = decodeRecords(await encodeBatch([large], prefix, 'None'))
  assert.equal(back?.value?.equals(large.value), true)
  const many = Array.from({ length: 1_000 }, (_, n) => ({ ...large, value: Buffer.from(`v${n}`), position: n }))
  assert.equal(
    decodeRecords(await encodeBatch(many, prefix, 'Zstd'))
      .at(-1)
      ?.value?.toString(),
    'v999',
  )
})

test('one changed byte breaks the checksum', async () => {
  const batch = await encodeBatch(
    [{ key: null, value: Buffer.from('v'), headers: [], timestamp: 5, position: 1 }],
    prefix,
    'None',
  )
  stampBatch(batch, stamp)
  for (let at = 21; at < batch.length; at++) {
    const damaged = Buffer.from(batch)
    damaged[at] = (damaged[at] ?? 0) ^ 1
    assert.equal(checksumHolds(damaged), false, `byte ${at}`)
  }
})

test('records before the wanted offset are left out', async () => {
  const records = ['a', 'b', 'c'].map((value) => ({
    key: null,
    value: Buffer.from(value),
    headers: [],
    timestamp: 1,
    position: 0,
  }))
  const batch = await encodeBatch(records, prefix, 'Gzip')
  assert.deepEqual(
    decodeRecords(batch, 2).map(({ value }) => String(value)),
    ['c'],
  )
})

test('a batch that is cut short is not a batch', async () => {
  const batch = await encodeBatch([{ key: null, value: null, headers: [], timestamp: 1, position: 0 }], prefix, 'None')
  for (let length = 0; length < batch.length; length++)
    assert.equal(readHeader(batch.subarray(0, length), 0), undefined)
})

test('message formats older than v2 are refused by name', async () => {
  const batch = await encodeBatch([{ key: null, value: null, headers: [], timestamp: 1, position: 0 }], prefix, 'None')
  batch.writeInt8(1, 16)
  assert.throws(() => readHeader(batch, 0), OldFormatError)
})

test('variable-length integers come back, and take the size they say', () => {
  const target = Buffer.alloc(12)
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (value) => {
      assert.equal(writeVarint(target, 0, value), varintSize(value))
      assert.equal(new Cursor(target).varint(), value)
    }),
  )
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 51), max: 2 ** 51 }), (value) => {
      assert.equal(writeVarlong(target, 0, value), varlongSize(value))
      assert.equal(new Cursor(target).varlong(), value)
    }),
  )
})

test('reading past the end is an error, not a guess', () => {
  assert.throws(() => new Cursor(Buffer.from([0x80])).varint(), RangeError)
  assert.throws(() => new Cursor(Buffer.from([0x08, 1])).varbytes(), RangeError)
})
