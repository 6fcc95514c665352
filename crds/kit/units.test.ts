import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { exactlyOne } from './rules.ts'
import { byteSize, bytes, duration, milliseconds } from './units.ts'
import { z } from 'zod'

test('a duration is its number times its unit', () => {
  const scale = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }
  fc.assert(
    fc.property(fc.nat(999_999), fc.constantFrom(...(['ms', 's', 'm', 'h'] as const)), (number, unit) => {
      assert.equal(milliseconds(`${number}${unit}`), number * scale[unit])
    }),
  )
})

test('a duration is taken exactly within its bounds', () => {
  const bounded = duration('', { min: '500ms', max: '1m' })
  fc.assert(
    fc.property(fc.nat(120_000), (number) => {
      assert.equal(bounded.safeParse(`${number}ms`).success, number >= 500 && number <= 60_000)
    }),
  )
})

test('no duration outlasts a timer, which counts to 2^31 - 1 milliseconds', () => {
  for (const value of ['25h', '999999h', '99999999999h', '1e3s', '-1s', '1.5s', ' 1s', '1s ', ''])
    assert.equal(duration('').safeParse(value).success, false, value)
  assert.equal(duration('').safeParse('24h').success, true)
})

test('a size is bytes, or a number of binary units', () => {
  assert.deepEqual(['1', '1Ki', '32Mi', '2Gi'].map(bytes), [1, 1024, 33_554_432, 2_147_483_648])
  for (const value of ['0', '1K', '1MB', '1.5Mi', '-1', '', '1025Gi'])
    assert.equal(byteSize('').safeParse(value).success, false, value)
})

test('of a union exactly one member is taken', () => {
  const union = exactlyOne({ a: z.object({}), b: z.object({}), c: z.object({}) })
  for (const [value, taken] of [
    [{}, false],
    [{ a: {} }, true],
    [{ a: {}, c: {} }, false],
    [{ a: {}, b: {}, c: {} }, false],
  ] as const)
    assert.equal(union.safeParse(value).success, taken, JSON.stringify(value))
})
