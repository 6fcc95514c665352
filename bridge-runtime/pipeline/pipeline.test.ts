import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type Given, transform, transformOne } from '../../test/support/transforms.ts'

suite('exact numbers', () => {
  test('an integer beyond 2^53 is what it was, though another field was removed', async () => {
    const { value } = await transformOne(
      { transforms: [{ remove: ['value.a'] }] },
      { value: '{"id":9007199254740993,"a":1}' },
    )
    assert.equal(value, '{"id":9007199254740993}')
  })

  for (const number of [
    '1.234567890123456789',
    '1e400',
    '-9223372036854775808',
    '18446744073709551615',
    '0.1',
    '-1.5e-7',
  ])
    test(`${number} is what it was when its document changes`, async () => {
      const { value } = await transformOne(
        { transforms: [{ set: { 'value.b': 'true' } }] },
        { value: `{"n":${number}}` },
      )
      assert.equal(value, `{"n":${number},"b":true}`)
    })

  test('a number that was written as a text of digits stays a text', async () => {
    const { value } = await transformOne(
      { transforms: [{ set: { 'value.b': '1' } }] },
      { value: '{"n":"12345678901234567890"}' },
    )
    assert.equal(value, '{"n":"12345678901234567890","b":1}')
  })

  test('what no double holds is compared only where a person says double()', async () => {
    const given: Given = { value: '{"n":1.234567890123456789}' }
    assert.match(
      String((await transformOne({ transforms: [{ filter: 'value.n > 1.0' }] }, given)).poison),
      /^ExpressionFailed/,
    )
    assert.equal((await transform({ transforms: [{ filter: 'double(value.n) > 1.0' }] }, [given])).length, 1)
  })

  test('integers of an expression are exact', async () => {
    const { value } = await transformOne(
      { transforms: [{ set: { 'value.m': 'value.n + 1' } }] },
      { value: '{"n":9007199254740993}' },
    )
    assert.equal(value, '{"n":9007199254740993,"m":9007199254740994}')
  })
})

suite('bytes', () => {
  test('a record that a filter keeps has the bytes it came with, blanks and all', async () => {
    const value = '{ "b":1.10, "a":1e2 }'
    const { record } = await transformOne({ transforms: [{ filter: 'value.a == 100' }] }, { value })
    assert.equal(record.value?.toString(), value)
  })

  test('a name that stands twice stays where nothing changes, and else the last one counts', async () => {
    const value = '{"a":1,"a":2}'
    assert.equal((await transformOne({ transforms: [{ filter: 'value.a == 2' }] }, { value })).value, value)
    const changed = await transformOne({ transforms: [{ set: { 'value.b': '3' } }] }, { value })
    assert.equal(changed.value, '{"a":2,"b":3}')
  })

  test('bytes that are not UTF-8 are refused, not repaired', async () => {
    const { poison } = await transformOne(
      { transforms: [{ filter: 'value.a == 1' }] },
      { value: Buffer.from('7b22ff223a317d', 'hex') },
    )
    assert.equal(
      poison,
      'NotUtf8: spec.transforms[0].filter: value: it is not UTF-8; spec.decode.value says what it is, such as text: {} or bytes: {}',
    )
  })

  test('a field named __proto__ is a field', async () => {
    const { value } = await transformOne(
      { transforms: [{ set: { 'value.b': '1' } }, { rename: { 'value.__proto__': 'value.c' } }] },
      { value: '{"__proto__":{"x":1}}' },
    )
    assert.equal(value, '{"b":1,"c":{"x":1}}')
  })
})

suite('null', () => {
  test('a tombstone passes steps that do not read its value', async () => {
    const { value } = await transformOne({ transforms: [{ filter: "key == 'k'" }] }, { value: null })
    assert.equal(value, null)
  })

  test('a tombstone whose fields are read is set aside, not dropped', async () => {
    const { poison } = await transformOne({ transforms: [{ filter: 'value.x == 1' }] }, { value: null })
    assert.match(String(poison), /^ExpressionFailed: spec\.transforms\[0\]\.filter: "value\.x" \(line 1, column \d+\)/)
  })

  test('a tombstone is filtered by a person who asks for it', async () => {
    assert.deepEqual(
      await transform({ transforms: [{ filter: 'value != null && value.x == 1' }] }, [{ value: null }]),
      [],
    )
  })
})

suite('what cannot go on', () => {
  test('is as the source gave it, in its place, and says the step and the field', async () => {
    const outputs = await transform({ transforms: [{ set: { 'value.a': '1' } }, { set: { 'value.b.c': '2' } }] }, [
      { value: '{}' },
      { value: '{"b":1}' },
      { value: '{}' },
    ])
    const [, second] = outputs
    assert.deepEqual(
      outputs.map(({ poison }) => poison !== undefined),
      [false, true, false],
    )
    assert.equal(second?.record.value?.toString(), '{"b":1}')
    assert.deepEqual(second?.record.poison?.place, { step: 'spec.transforms[1].set', path: 'value.b' })
    assert.equal(second?.record.poison?.kind, 'poison')
  })

  test('deep JSON is refused, not a fault', async () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
    const { poison, value } = await transformOne(
      { transforms: [{ set: { 'value.a.b': 'value.a' } }] },
      { value: `{"a":${deep}}` },
    )
    assert.equal(value, undefined)
    assert.match(String(poison), /^(TooDeep|NotAnObject)/)
  })
})

suite('formats', () => {
  test('text becomes text, and JSON once it is an object', async () => {
    const decode = { value: { text: {} } }
    assert.equal(
      (await transformOne({ decode, transforms: [{ set: { value: "value + '!'" } }] }, { value: 'a' })).value,
      'a!',
    )
    assert.equal(
      (await transformOne({ decode, transforms: [{ set: { value: "{'t': value}" } }] }, { value: 'a' })).value,
      '{"t":"a"}',
    )
  })

  test('encode without a step writes in the other format', async () => {
    const { value } = await transformOne(
      { decode: { value: { text: {} } }, encode: { value: { json: {} } } },
      { value: 'a"b' },
    )
    assert.equal(value, '"a\\"b"')
  })

  test('decode alone changes nothing and looks at nothing', async () => {
    assert.equal((await transformOne({ decode: { value: { json: {} } } }, { value: '{' })).value, '{')
  })
})
