import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { read, type Schema, write } from '../../../test/support/avro.ts'
import { transformOne } from '../../../test/support/transforms.ts'
import { writeJson } from '../../values/json.ts'
import { Unfit } from '../../values/unfit.ts'
import type { Value } from '../../values/value.ts'
import { Misfit } from './misfit.ts'

const refusal = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    const unfit = error instanceof Misfit ? error.under('value') : error
    if (unfit instanceof Unfit) return `${unfit.reason}: ${unfit.message}`
    throw error
  }
  return 'nothing was refused'
}

suite('whole numbers', () => {
  const values = [
    -4503599627370497n,
    -9007199254740990n,
    2n ** 53n,
    -(2n ** 53n),
    2n ** 63n - 1n,
    -(2n ** 63n),
    0n,
    -1n,
    63n,
    64n,
    -65n,
    2n ** 31n,
  ]
  for (const schema of ['long', ['null', 'long'], { type: 'array', items: 'long' }] as Schema[])
    test(`of 64 bits are exact, as ${JSON.stringify(schema)}`, () => {
      for (const value of values) {
        const small = value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
        const given: Value = small ? Number(value) : value
        const whole: Value = typeof schema === 'object' && 'items' in schema ? [given] : given
        assert.deepEqual(read(schema, write(schema, whole)), whole)
      }
    })

  test('beyond 32 or 64 bits, and with a fraction, are refused', () => {
    assert.match(
      refusal(() => write('int', 2 ** 31)),
      /^NotEncodable: value is a number, not a whole number of 32 bits/,
    )
    assert.match(
      refusal(() => write('long', 2n ** 63n)),
      /^NotEncodable/,
    )
    assert.match(
      refusal(() => write('long', 1.5)),
      /^NotEncodable/,
    )
    assert.match(
      refusal(() => read('int', Buffer.from('8080808010', 'hex'))),
      /^NotAvro: an int of more than 32 bits/,
    )
    assert.match(
      refusal(() => read('long', Buffer.alloc(11, 0xff))),
      /^NotAvro: a number of more than 64 bits/,
    )
  })
})

suite('logical types', () => {
  const long = (logicalType: string) => ({ type: 'long', logicalType })
  for (const [schema, text] of [
    [long('timestamp-millis'), '2026-01-31T08:00:00.123Z'],
    [long('timestamp-micros'), '1969-12-31T23:59:59.999999Z'],
    [long('timestamp-nanos'), '2026-01-31T08:00:00.123456789Z'],
    [long('local-timestamp-millis'), '2026-01-31T08:00:00.000'],
    [long('time-micros'), '23:59:59.999999'],
    [{ type: 'int', logicalType: 'time-millis' }, '08:30:00.001'],
    [{ type: 'int', logicalType: 'date' }, '1969-12-31'],
    [{ type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }, '123.45'],
    [{ type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }, '-0.05'],
    [{ type: 'bytes', logicalType: 'decimal', precision: 9, scale: 0 }, '-128'],
    [{ type: 'fixed', name: 'D', size: 8, logicalType: 'decimal', precision: 18, scale: 4 }, '-99999999999999.9999'],
    [{ type: 'fixed', name: 'P', size: 12, logicalType: 'duration' }, 'P1M2DT3.004S'],
  ] as const)
    test(`${JSON.stringify(schema)} is ${text}, both ways`, () => assert.equal(read(schema, write(schema, text)), text))

  test('the bytes of a decimal are those of the specification', () => {
    const schema = { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }
    assert.equal(read(schema, Buffer.from('043039', 'hex')), '123.45')
    assert.equal(write(schema, '123.45').toString('hex'), '043039')
  })

  test('more digits than there is room for are refused, never rounded', () => {
    const decimal = { type: 'bytes', logicalType: 'decimal', precision: 5, scale: 2 }
    for (const text of ['1234.56', '1.234', 'x', '1e5'])
      assert.match(
        refusal(() => write(decimal, text)),
        /^NotEncodable/,
        text,
      )
    assert.match(
      refusal(() => write(long('timestamp-millis'), '2026-01-31T08:00:00.1234Z')),
      /^NotEncodable/,
    )
    assert.match(
      refusal(() => write(long('timestamp-millis'), '2026-01-31T08:00:00')),
      /^NotEncodable/,
    )
    assert.match(
      refusal(() => write({ type: 'int', logicalType: 'date' }, '2026-02-30')),
      /^NotEncodable/,
    )
  })

  test('a float is the shortest number that is this float, and takes no other', () => {
    assert.equal(read('float', write('float', 0.1)), 0.1)
    assert.match(
      refusal(() => write('float', 0.123456789012)),
      /^NotEncodable/,
    )
    assert.equal(read('double', write('double', 'NaN')), 'NaN')
    assert.equal(read('double', write('double', '-Infinity')), '-Infinity')
  })
})

suite('unions', () => {
  test('a number takes the first branch that holds it', () => {
    const schema = ['null', 'int', 'long', 'double']
    for (const value of [5, 2 ** 40, 1.5, null]) assert.equal(read(schema, write(schema, value)), value)
  })

  test('what fits two others is refused: nobody knows which was meant', () => {
    const records = ['A', 'B'].map((name) => ({ type: 'record', name, fields: [{ name: 'x', type: 'int' }] }))
    assert.match(
      refusal(() => write(records, { x: 1 })),
      /^AmbiguousUnion: value fits several branches/,
    )
    assert.match(
      refusal(() => write(['null', 'string', 'bytes'], 'abcd')),
      /^AmbiguousUnion/,
    )
    assert.match(
      refusal(() => write(['null', 'int'], 'a')),
      /^NotEncodable: value is a text, which no branch/,
    )
  })
})

suite('records', () => {
  const schema = {
    type: 'record',
    name: 'Order',
    fields: [
      { name: 'id', type: 'long' },
      { name: 'note', type: ['null', 'string'], default: null },
      { name: '__proto__', type: 'string', default: 'p' },
      { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' }, default: 0 },
    ],
  }

  test('a default is written for what is missing, a field without one is not', () => {
    const value = read(schema, write(schema, { id: 1 }))
    assert.equal(writeJson(value), '{"id":1,"note":null,"__proto__":"p","at":"1970-01-01T00:00:00.000Z"}')
    assert.match(
      refusal(() => write(schema, { note: 'a' })),
      /^MissingField: value\.id is missing/,
    )
  })

  test('a field that the schema does not have is refused, not lost', () => {
    assert.match(
      refusal(() => write(schema, { id: 1, extra: 2 })),
      /^UnknownField: value\.extra is not in the schema/,
    )
  })

  test('a record may hold itself', () => {
    const tree = {
      type: 'record',
      name: 'Tree',
      fields: [
        { name: 'value', type: 'int' },
        { name: 'left', type: ['null', 'Tree'], default: null },
      ],
    }
    const value = { value: 1, left: { value: 2, left: null } }
    assert.deepEqual(JSON.parse(writeJson(read(tree, write(tree, value)))), value)
  })
})

suite('bytes that lie', () => {
  test('a claim of elements is not believed beyond what the bytes can hold', () => {
    const nulls = { type: 'array', items: 'null' }
    assert.match(
      refusal(() => read(nulls, Buffer.from('8080801000', 'hex'))),
      /^ValueTooLarge/,
    )
    assert.match(
      refusal(() => read({ type: 'array', items: 'long' }, Buffer.from('fefffffffffffff07f', 'hex'))),
      /^(ValueTooLarge|NotAvro)/,
    )
    assert.match(
      refusal(() => read('string', Buffer.from('feffffff0f61', 'hex'))),
      /^NotAvro: it ends before/,
    )
  })

  test('depth has a bound', () => {
    const tree = { type: 'record', name: 'Tree', fields: [{ name: 'left', type: ['null', 'Tree'] }] }
    assert.match(
      refusal(() => read(tree, Buffer.concat([Buffer.alloc(100_000, 2), Buffer.alloc(1)]))),
      /^TooDeep/,
    )
  })
})

suite('in a manifest', () => {
  const inline = JSON.stringify({ type: 'record', name: 'O', fields: [{ name: 'id', type: 'long' }] })
  const bytes = write(JSON.parse(inline) as Schema, { id: 2n ** 60n })

  test('Avro becomes JSON without a step, and JSON Avro', async () => {
    const { value } = await transformOne({ decode: { value: { avro: { schema: { inline } } } } }, { value: bytes })
    assert.equal(value, '{"id":1152921504606846976}')
    const back = await transformOne({ encode: { value: { avro: { schema: { inline } } } } }, { value: value ?? '' })
    assert.ok(back.record.value?.equals(bytes))
  })

  test('what is no Avro of the schema is set aside, with the reason', async () => {
    const way = { decode: { value: { avro: { schema: { inline } } } } }
    for (const value of [Buffer.alloc(0), Buffer.from([0x80]), Buffer.from([2, 2])])
      assert.match(String((await transformOne(way, { value })).poison), /^NotAvro: spec\.encode: value: it/)
  })

  test('a schema that is none is refused before a pod starts, with the place', async () => {
    const way = {
      decode: {
        value: { avro: { schema: { inline: '{"type":"record","name":"O","fields":[{"name":"a","type":"B"}]}' } } },
      },
    }
    await assert.rejects(
      transformOne(way, {}),
      /no Avro schema: the field a of O names a type that is not defined before it/,
    )
  })
})
