import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { SourceBatch } from '../contracts.ts'
import { batchOf } from '../delivery/dead-letter-record.ts'
import type { InFlightBatch } from './in-flight-batch.ts'
import { Unordered } from './individual.ts'
import { Watermark } from './watermark.ts'

const record = (position: number) => ({ key: null, value: Buffer.from('v'), headers: [], timestamp: 0, position })

/** Batches of the given sizes with positions 0, 1, 2, ... */
function batches(sizes: readonly number[]): SourceBatch[] {
  let next = 0
  return sizes.map((size) =>
    batchOf(
      Array.from({ length: size }, () => record(next++)),
      size,
    ),
  )
}

test('the watermark is the end of the settled prefix, whatever the order of settlement', () => {
  const plan = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 8 }).chain((sizes) => {
    const total = sizes.reduce((sum, size) => sum + size, 0)
    return fc.record({ sizes: fc.constant(sizes), order: fc.shuffledSubarray([...Array(total).keys()]) })
  })
  fc.assert(
    fc.property(plan, ({ sizes, order }) => {
      const total = sizes.reduce((sum, size) => sum + size, 0)
      const watermark = new Watermark()
      const where: [InFlightBatch, number][] = batches(sizes).flatMap((batch) => {
        const tracked = watermark.add(batch, 0)
        return batch.records().map((_, index): [InFlightBatch, number] => [tracked, index])
      })
      const settled = new Set<number>()
      for (const position of order) {
        const [tracked, index] = where[position] ?? assert.fail()
        watermark.settle(tracked, [index])
        settled.add(position)
        let expected: number | undefined
        for (let next = 0; settled.has(next); next += 1) expected = next
        assert.equal(watermark.position, expected)
        assert.equal(watermark.behind, total - (expected ?? -1) - 1, 'what is behind it is read again')
      }
      const open = total - settled.size
      assert.ok(watermark.records >= open, 'what is not settled counts as in flight')
    }),
  )
})

test('a batch settled as a whole frees its bytes once everything before it is settled', () => {
  const watermark = new Watermark()
  const [first, second] = batches([2, 3]).map((batch) => watermark.add(batch, 0))
  assert.ok(first && second)
  watermark.settle(second, 'all')
  assert.deepEqual([watermark.bytes, watermark.records, watermark.position], [5, 5, undefined])
  watermark.settle(first, 'all')
  assert.deepEqual([watermark.bytes, watermark.records, watermark.position], [0, 0, 4])
})

test('settling a record twice does not count twice', () => {
  const watermark = new Watermark()
  const [only] = batches([2]).map((batch) => watermark.add(batch, 0))
  assert.ok(only)
  watermark.settle(only, [0])
  watermark.settle(only, [0])
  assert.equal(watermark.position, 0)
  assert.equal(watermark.records, 2)
})

test('without contiguity a settled batch frees its bytes whatever is before it', () => {
  const unordered = new Unordered()
  const [first, second] = batches([2, 3]).map((batch) => unordered.add(batch, 0))
  assert.ok(first && second)
  unordered.settle(second, [0, 1])
  assert.deepEqual([unordered.bytes, unordered.records], [5, 5])
  unordered.settle(second, [2])
  unordered.settle(second, 'all')
  assert.deepEqual([unordered.bytes, unordered.records], [2, 2])
  unordered.settle(first, 'all')
  assert.deepEqual([unordered.bytes, unordered.records, unordered.oldest], [0, 0, undefined])
})
