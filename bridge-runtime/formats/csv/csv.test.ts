import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { transformOne } from '../../../test/support/transforms.ts'

const csv = { columns: ['a', 'b', 'c'], delimiter: ';' }

suite('csv', () => {
  test('a row becomes an object, and JSON unless another format is asked for', async () => {
    const decode = { value: { csv: { ...csv, types: { b: 'Int' as const, c: 'Bool' as const } } } }
    const { value } = await transformOne({ decode }, { value: '"x;""y""";9007199254740993;TRUE\r\n' })
    assert.equal(value, '{"a":"x;\\"y\\"","b":9007199254740993,"c":true}')
  })

  test('an object becomes a row, with quotes where they are needed', async () => {
    const encode = { value: { csv } }
    for (const [value, row] of [
      ['{"a":"x","b":1.50,"c":true}', 'x;1.5;true'],
      ['{"c":"a;b","a":"say \\"a\\"","b":"x\\ny"}', '"say ""a""";"x\ny";"a;b"'],
      ['{"a":"","b":null}', '"";;'],
      [
        '{"a":12345678901234567890,"b":" x","c":0.12345678901234567890}',
        '12345678901234567890;" x";0.12345678901234567890',
      ],
    ] as const)
      assert.equal((await transformOne({ encode }, { value })).value, row)
  })

  for (const [value, message] of [
    ['[1]', /^NotEncodable: spec\.encode: a list cannot be written as a row/],
    ['{"a":1,"secret":2}', /^NotEncodable: spec\.encode: fields without a column: 1/],
    ['{"a":{"x":1}}', /^NotEncodable: spec\.encode: the field a is an object, which no cell holds/],
  ] as const)
    test(`refuses to write ${value}`, async () => {
      assert.match(String((await transformOne({ encode: { value: { csv } } }, { value })).poison), message)
    })

  test('a row of another length is refused', async () => {
    const { poison } = await transformOne(
      { decode: { value: { csv } }, transforms: [{ filter: 'value.a != null' }] },
      { value: 'a;b' },
    )
    assert.equal(poison, 'ParseMismatch: spec.transforms[0].filter: value: the row has 2 cells, not 3')
  })

  test('what is written is read as it was', async () => {
    const cell = fc.oneof(
      fc.constant(null),
      fc.string({ maxLength: 6, unit: fc.constantFrom(...'a;"\r\n, é'.split('')) }),
    )
    await fc.assert(
      fc.asyncProperty(cell, cell, cell, async (a, b, c) => {
        const value = JSON.stringify({ a, b, c })
        const row = (await transformOne({ encode: { value: { csv } } }, { value })).value
        assert.equal((await transformOne({ decode: { value: { csv } } }, { value: String(row) })).value, value)
      }),
      { numRuns: 500 },
    )
  })
})
