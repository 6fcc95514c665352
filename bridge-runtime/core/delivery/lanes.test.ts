import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { take, WriteBatch, wholeSlice } from './write-batch.ts'
import { batchOf } from './dead-letter-record.ts'
import { distribute, laneCount } from './lanes.ts'
import { InFlightBatch } from '../commit/in-flight-batch.ts'

const keyed = (keys: readonly (string | null)[]) =>
  new InFlightBatch(
    batchOf(
      keys.map((key, position) => ({
        key: key === null ? null : Buffer.from(key),
        value: Buffer.from(`${position}`),
        headers: [],
        timestamp: 0,
        position,
      })),
      keys.length,
    ),
    0,
  )

const keysArbitrary = fc.array(fc.option(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g')), {
  minLength: 1,
  maxLength: 60,
})

test('every record goes to exactly one lane, a key always to the same, in its order', () => {
  fc.assert(
    fc.property(keysArbitrary, fc.integer({ min: 1, max: 9 }), fc.nat(20), (keys, lanes, ordinal) => {
      const seen: number[] = []
      const laneOf = new Map<string, number>()
      for (const [lane, slice] of distribute(wholeSlice(keyed(keys)), 'PerKey', lanes, ordinal)) {
        const indexes = slice.indexes ?? keys.map((_, index) => index)
        assert.deepEqual(
          indexes,
          [...indexes].sort((a, b) => a - b),
        )
        for (const index of indexes) {
          seen.push(index)
          const key = keys[index] ?? null
          if (key === null) continue
          assert.equal(laneOf.get(key) ?? lane, lane)
          laneOf.set(key, lane)
        }
      }
      assert.deepEqual(
        seen.sort((a, b) => a - b),
        [...keys.keys()],
      )
    }),
  )
})

test('a whole partition stays in one lane when its order must be kept', () => {
  assert.equal(laneCount('PerPartition', 8), 1)
})

test('writes keep the order, lose nothing and respect the limits', () => {
  fc.assert(
    fc.property(
      fc.array(keysArbitrary, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 50 }),
      (groups, maxRecords, maxBytes) => {
        const batches = groups.map(keyed)
        const queue = batches.flatMap((batch) =>
          distribute(wholeSlice(batch), 'PerPartition', 1, 0).map(([, slice]) => slice),
        )
        const values: string[] = []
        while (queue.length > 0) {
          const written = new WriteBatch(
            { origin: 'o', partition: 'p', stream: 's', epoch: 1 },
            take(queue, { maxRecords, maxBytes }),
          )
          assert.ok(written.count >= 1 && written.count <= maxRecords)
          assert.equal(written.records().length, written.count)
          for (const [index, record] of written.records().entries()) {
            const [located] = written.locate([index])
            assert.equal(located?.batch.records()[located.indexes[0] ?? -1], record)
            values.push(`${record.value}`)
          }
        }
        assert.deepEqual(
          values,
          groups.flatMap((keys) => keys.map((_, index) => `${index}`)),
        )
      },
    ),
  )
})
