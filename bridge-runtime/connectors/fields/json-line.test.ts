import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sinkBatch } from '../../../test/support/sink-batch.ts'
import { jsonLines } from './json-line.ts'

const megabytes = (count: number, fill: string): Buffer => Buffer.alloc(count * 2 ** 20, fill)

test('a record whose line has no room in memory is refused before anything is made of it, and what is behind it waits', () => {
  const { text, result } = jsonLines(
    sinkBatch([{ value: Buffer.from('a') }, { value: megabytes(12, '\0') }, { value: Buffer.from('b') }]),
  )
  assert.equal(text.split('\n').length, 2)
  assert.deepEqual(
    [...result].map(([index, { kind, reason }]) => [index, kind, reason]),
    [
      [1, 'poison', 'RecordTooLarge'],
      [2, 'retryable', 'HeldBack'],
    ],
  )
})

test('what a service holds has room, whatever its bytes are', () => {
  for (const value of [megabytes(10, '\0'), megabytes(10, '"'), megabytes(10, 'é'), Buffer.alloc(10 * 2 ** 20, 0xff)])
    assert.equal(jsonLines(sinkBatch([{ value }])).result.size, 0)
})

test('a line holds the record, whatever its text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      const { text } = jsonLines(sinkBatch([{ value: Buffer.from(value) }]))
      assert.equal((JSON.parse(text) as { readonly value: string }).value, Buffer.from(value).toString())
    }),
  )
})
