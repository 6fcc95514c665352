import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { PageLimit, pageBytes } from './page-limit.ts'

test('records of a size are read in pages of about two megabytes, whatever the size', () => {
  fc.assert(
    fc.property(fc.integer({ min: 210, max: 2_000_000 }), (size) => {
      const limit = new PageLimit(10_000)
      const first = limit.records
      limit.read(first, first * size)
      const page = limit.records * size
      assert.ok(page <= pageBytes && page > pageBytes - size, `${limit.records} records of ${size} bytes`)
    }),
  )
})

test('a page has at least one record, and never more than the manifest allows', () => {
  const limit = new PageLimit(500)
  limit.read(500, 500)
  assert.equal(limit.records, 500)
  limit.read(1, 10_000_000)
  assert.equal(limit.records, 1)
  limit.read(10, 0)
  assert.equal(limit.records, 500)
})
