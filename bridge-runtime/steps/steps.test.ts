import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type Given, transform, transformOne } from '../../test/support/transforms.ts'

suite('steps', () => {
  test('set reads the record as it was before the step, and makes objects on the way', async () => {
    const { value, record } = await transformOne(
      {
        transforms: [
          { set: { 'value.a': 'value.b', 'value.b': 'value.a', 'value.c.d': '1', 'headers.h': "'x' + key" } },
        ],
      },
      { value: '{"a":1,"b":2}' },
    )
    assert.equal(value, '{"a":2,"b":1,"c":{"d":1}}')
    assert.equal(record.headers.find(({ name }) => name === 'h')?.value?.toString(), 'xk')
  })

  test('what is set is a copy: a later step changes one of the two', async () => {
    const { value } = await transformOne(
      { transforms: [{ set: { 'value.b': 'value.a' } }, { set: { 'value.b.x': '2' } }] },
      { value: '{"a":{"x":1}}' },
    )
    assert.equal(value, '{"a":{"x":1},"b":{"x":2}}')
  })

  test('set does not write into what is no object', async () => {
    const { poison } = await transformOne({ transforms: [{ set: { 'value.a.b': '1' } }] }, { value: '{"a":5}' })
    assert.equal(poison, 'NotAnObject: spec.transforms[0].set: value.a.b cannot be set: value.a is a number')
  })

  test('a timestamp is set from text that names its zone, and from no number', async () => {
    const way = { transforms: [{ set: { timestamp: 'value.t' } }] }
    assert.equal(
      (await transformOne(way, { value: '{"t":"2026-01-31T08:00:00+01:00"}' })).record.timestamp,
      Date.UTC(2026, 0, 31, 7),
    )
    for (const t of ['5', '"2026-01-31"', '"2026-01-31T08:00:00"', 'null'])
      assert.match(String((await transformOne(way, { value: `{"t":${t}}` })).poison), /^ExpressionFailed.*is no time/)
  })

  test('rename moves what is there, exactly, and overwrites nothing', async () => {
    const way = { transforms: [{ rename: { 'value.path': 'value.url.raw', 'headers.a': 'headers.b' } }] }
    const moved = await transformOne(way, { value: '{"path":12345678901234567890,"z":null}', headers: { a: '1' } })
    assert.equal(moved.value, '{"z":null,"url":{"raw":12345678901234567890}}')
    assert.deepEqual(
      moved.record.headers.map(({ name }) => name),
      ['b'],
    )
    assert.equal((await transformOne(way, { value: '{ "z":1 }' })).value, '{ "z":1 }')
    assert.match(
      String((await transformOne(way, { value: '{"path":1,"url":{"raw":2}}' })).poison),
      /^FieldExists: spec\.transforms\[0\]\.rename: value\.url\.raw is there already/,
    )
  })

  test('explode makes a record of each element, in order, with ids of their own', async () => {
    const outputs = await transform({ transforms: [{ explode: 'value.items' }, { set: { 'value.n': 'index' } }] }, [
      { value: '{"items":[{"a":1},{"a":2}]}', position: 41 },
      { value: '{"items":[]}' },
      { value: '{"items":5}' },
    ])
    assert.deepEqual(
      outputs.map(({ parent, record, value, poison }) => [parent, record.position, value ?? poison]),
      [
        [0, '41/0', '{"a":1,"n":0}'],
        [0, '41/1', '{"a":2,"n":1}'],
        [2, 7, 'NotAnArray: spec.transforms[0].explode: value.items is a number, not a list'],
      ],
    )
  })

  test('explode refuses more than 10,000', async () => {
    const items = (count: number) => ({ value: JSON.stringify({ items: Array.from({ length: count }, () => 0) }) })
    const way = { transforms: [{ explode: 'value.items' }] }
    assert.equal((await transform(way, [items(10_000)])).length, 10_000)
    assert.match(String((await transformOne(way, items(10_001))).poison), /^TooManyParts/)
  })

  test('rekey takes text, bytes and null, and nothing else', async () => {
    const way = { transforms: [{ rekey: 'value.k' }] }
    assert.equal((await transformOne(way, { value: '{"k":"a"}' })).key, 'a')
    assert.equal((await transformOne(way, { value: '{"k":null}' })).key, null)
    assert.match(
      String((await transformOne(way, { value: '{"k":5}' })).poison),
      /a key is text, bytes or null, not a number/,
    )
  })

  test('sample keeps the same keys each time, about as many as it says', async () => {
    const given = Array.from({ length: 2_000 }, (_, n): Given => ({ key: `user-${n % 1_000}` }))
    const way = { transforms: [{ sample: { percent: 25 } }] }
    const kept = (await transform(way, given)).map(({ key }) => key)
    assert.equal(kept.length, 2 * new Set(kept).size)
    assert.ok(new Set(kept).size > 200 && new Set(kept).size < 300, `${new Set(kept).size}`)
    assert.deepEqual(
      (await transform(way, given)).map(({ key }) => key),
      kept,
    )
  })
})
