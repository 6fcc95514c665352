import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseJson, writeJson } from './json.ts'

/** The same number, however it is written. */
const canonical = (text: string): string => {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(text) ?? []
  const digits = BigInt(`${whole}${fraction}`)
  if (digits === 0n) return '0'
  const text10 = String(digits)
  const trimmed = text10.replace(/0+$/, '')
  return `${sign}${trimmed}e${Number(exponent) - fraction.length + (text10.length - trimmed.length)}`
}

const digits = (most: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${most}}$`))
const numbers = fc
  .record({
    sign: fc.constantFrom('', '-'),
    whole: fc.oneof(
      fc.constant('0'),
      digits(22).map((text) => text.replace(/^0+(?=.)/, '')),
    ),
    fraction: fc.option(digits(22), { nil: undefined }),
    exponent: fc.option(fc.tuple(fc.constantFrom('e', 'E', 'e+', 'e-', 'E-'), digits(3)), { nil: undefined }),
  })
  .map(
    ({ sign, whole, fraction, exponent }) =>
      `${sign}${whole}${fraction === undefined ? '' : `.${fraction}`}${exponent?.join('') ?? ''}`,
  )

test('any number of any document is the same number when it is written again', () => {
  fc.assert(
    fc.property(fc.array(numbers, { maxLength: 6 }), fc.constantFrom('', ' ', '\n  '), (list, blank) => {
      const text = `{${list.map((number, at) => `"n${at}":${blank}${number}`).join(',')},"s":"1e999"}`.replace(
        '{,',
        '{',
      )
      const written = writeJson(parseJson(text))
      const found = [...written.matchAll(/"n\d+":([^,}]*)/g)].map(([, number = '']) => canonical(number))
      assert.deepEqual(found, list.map(canonical))
    }),
    { numRuns: 2_000 },
  )
})
