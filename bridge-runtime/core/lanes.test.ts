import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Cargo, load, wholeSlice } from './cargo.ts'
import { batchOf } from './dead-letter.ts'
import { distribute, laneCount } from './lanes.ts'
import { Watermark } from './watermark.ts'

const keyed = (keys: readonly (string | null)[]) =>
  new Watermark().add(
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

test('loads keep the order, lose nothing and respect the limits', () => {
  fc.assert(
    fc.property(
      fc.array(keysArbitrary, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 50 }),
      (groups, maxRecords, maxBytes) => {
        const trackeds = groups.map(keyed)
        const queue = trackeds.flatMap((tracked) =>
          distribute(wholeSlice(tracked), 'PerPartition', 1, 0).map(([, slice]) => slice),
        )
        const values: string[] = []
        while (queue.length > 0) {
          const cargo = new Cargo({ origin: 'o', partition: 'p' }, load(queue, { maxRecords, maxBytes }))
          assert.ok(cargo.count >= 1 && cargo.count <= maxRecords)
          assert.equal(cargo.records().length, cargo.count)
          for (const [index, record] of cargo.records().entries()) {
            const [located] = cargo.locate([index])
            assert.equal(located?.tracked.batch.records()[located.indexes[0] ?? -1], record)
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
