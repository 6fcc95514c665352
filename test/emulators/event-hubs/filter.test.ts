import assert from 'node:assert/strict'
import { test } from 'node:test'
import { beyondEnd, parseFilter } from './filter.ts'

const prefix = 'amqp.annotation.x-opt-'

test('each filter of the SDKs says where to begin', () => {
  assert.deepEqual(parseFilter(undefined), { kind: 'first' })
  assert.deepEqual(parseFilter(`${prefix}offset > '-1'`), { kind: 'first' })
  assert.deepEqual(parseFilter(`${prefix}offset > '@latest'`), { kind: 'latest' })
  assert.deepEqual(parseFilter(`${prefix}offset >= '70'`), { kind: 'offset', value: 70, inclusive: true })
  assert.deepEqual(parseFilter(`${prefix}sequence-number > '7'`), {
    kind: 'sequence-number',
    value: 7,
    inclusive: false,
  })
  assert.deepEqual(parseFilter(`${prefix}enqueued-time > '1790000000000'`), {
    kind: 'enqueued-time',
    value: 1_790_000_000_000,
    inclusive: false,
  })
})

test('a filter the service does not know is none', () => {
  for (const text of [
    '',
    'x',
    `${prefix}offset < '1'`,
    `${prefix}offset > 1`,
    `${prefix}offset > 'one'`,
    `${prefix}color > '1'`,
  ])
    assert.equal(parseFilter(text), undefined, text)
})

test('a start beyond the end is refused with the last position, the end itself is not', () => {
  const last = { sequenceNumber: 4, offset: 40, enqueuedTime: 1 }
  const after = (value: number) => ({ kind: 'offset', value, inclusive: false }) as const
  assert.equal(beyondEnd(after(40), last), undefined)
  assert.match(beyondEnd(after(41), last) ?? '', /offset '41' is invalid. The last offset in the system is '40'/)
  assert.match(beyondEnd({ kind: 'sequence-number', value: 0, inclusive: true }, undefined) ?? '', /is '-1'/)
  assert.equal(beyondEnd({ kind: 'latest' }, undefined), undefined)
})
