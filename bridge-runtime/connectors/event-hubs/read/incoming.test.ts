import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import * as amqp from '../../../../test/support/amqp-bytes.ts'
import { incoming, recordOf } from './incoming.ts'

const presumed = { sequenceNumber: 5, enqueued: 6 }
const read = (bytes: Buffer) => recordOf(incoming(bytes, presumed))
const bodyOf = (value: amqp.Encoded): string | null =>
  read(amqp.received([amqp.bodyValue(value)])).value?.toString('utf8') ?? null
const propertyOf = (value: amqp.Encoded): string | null => {
  const [header] = read(amqp.received([amqp.properties(amqp.string('name'), value)])).headers
  assert.equal(header?.name, 'name')
  return header.value?.toString('utf8') ?? null
}

/** [type, encoding in hex, text]. One form for each type, whatever the encoding. */
const forms: readonly (readonly [string, string, string | null])[] = [
  ['null', '40', null],
  ['true', '41', 'true'],
  ['true in a byte', '5601', 'true'],
  ['false', '42', 'false'],
  ['false in a byte', '5600', 'false'],
  ['ubyte', '50ff', '255'],
  ['ushort', '60ffff', '65535'],
  ['uint', '70ffffffff', '4294967295'],
  ['uint, small', '52ff', '255'],
  ['uint, zero', '43', '0'],
  ['ulong', '80ffffffffffffffff', '18446744073709551615'],
  ['ulong, small', '5307', '7'],
  ['ulong, zero', '44', '0'],
  ['byte', '5180', '-128'],
  ['short', '618000', '-32768'],
  ['int', '7180000000', '-2147483648'],
  ['int, small', '54ff', '-1'],
  ['long beyond 2^53', '810020000000000001', '9007199254740993'],
  ['long, lowest', '818000000000000000', '-9223372036854775808'],
  ['long, small', '55ff', '-1'],
  ['float', '723dcccccd', '0.10000000149011612'],
  ['float, whole', '7240400000', '3'],
  ['float, not a number', '727fc00000', 'NaN'],
  ['double', '823fb999999999999a', '0.1'],
  ['double, largest', '827fefffffffffffff', '1.7976931348623157e+308'],
  ['double, minus zero', '828000000000000000', '-0'],
  ['double, not a number', '827ff8000000000000', 'NaN'],
  ['double, infinite', '827ff0000000000000', 'Infinity'],
  ['double, minus infinite', '82fff0000000000000', '-Infinity'],
  ['decimal32', '743180006e', '1.10'],
  ['decimal32, largest', '7477f8967f', '9.999999E+96'],
  ['decimal64', '84b1c0000000000001', '-1'],
  ['decimal128', '94303c00000000000000000000000004d2', '12.34'],
  ['decimal128, with an exponent', '9430540000000000000000000000000001', '1E+10'],
  ['decimal128, very small', '943000000000000000000000000000000c', '1.2E-31'],
  ['decimal128, infinite', '9478000000000000000000000000000000', 'Infinity'],
  ['decimal128, not a number', '947c000000000000000000000000000000', 'NaN'],
  ['char', '730001f600', '😀'],
  ['timestamp', '830000018bcfe56800', '2023-11-14T22:13:20.000Z'],
  ['timestamp before 1970', '83ffffffffffffffff', '1969-12-31T23:59:59.999Z'],
  ['timestamp, last of the type', '837fffffffffffffff', '+292278994-08-17T07:12:55.807Z'],
  ['timestamp, first of the type', '838000000000000000', '-292275055-05-16T16:47:04.192Z'],
  ['uuid', '98550e8400e29b41d4a716446655440000', '550e8400-e29b-41d4-a716-446655440000'],
  ['string', 'a102c3a9', 'é'],
  ['string, long', 'b100000002c3a9', 'é'],
  ['symbol', 'a30161', 'a'],
  ['binary', 'a00261ff', '\uFFFD'],
  ['list, empty', '45', '[]'],
  ['described, as .NET writes a Uri', '00a30175a10161', 'a'],
]

suite('a value of AMQP’s own types is text: exact, in one form', () => {
  for (const [type, hex, text] of forms.filter(([type]) => type !== 'binary'))
    test(`${type}: ${text}`, () => {
      assert.equal(bodyOf(hex), text)
      assert.equal(propertyOf(hex), text)
    })

  test('bytes are those bytes, and a string that is not UTF-8 too', () => {
    const bytes = Buffer.from('61ff00', 'hex')
    for (const value of ['a00361ff00', 'b00000000361ff00', 'a10361ff00', 'b30000000361ff00']) {
      assert.deepEqual(read(amqp.received([amqp.bodyValue(value)])).value, bytes)
      const [header] = read(amqp.received([amqp.properties(amqp.string('x'), value)])).headers
      assert.deepEqual(header?.value, bytes)
    }
  })

  test('a list is JSON, and a number in it has all its digits', () => {
    const { list, long, string, binary } = amqp
    assert.equal(
      bodyOf(list('40', '5601', long(9_007_199_254_740_993n), string('a"\u2028'), binary('00ff'), list(), '45')),
      '[null,true,9007199254740993,"a\\"\u2028","AP8=",[],[]]',
    )
    assert.equal(
      bodyOf(
        list(
          '827ff8000000000000',
          '830000018bcfe56800',
          '743180006e',
          '9478000000000000000000000000000000',
          '730001f600',
        ),
      ),
      '["NaN","2023-11-14T22:13:20.000Z",1.10,"Infinity","😀"]',
    )
  })

  test('a map is JSON in its own order, also with keys that are no strings, and with one that the library took for its own', () => {
    const { map, string, long, symbol } = amqp
    assert.equal(
      bodyOf(map(string('typecode'), '5475', string('content'), string('x'))),
      '{"typecode":117,"content":"x"}',
    )
    assert.equal(
      bodyOf(map(long(2n), '41', symbol('b'), '42', '40', '43', string('1'), '45')),
      '{"2":true,"b":false,"null":0,"1":[]}',
    )
    assert.equal(bodyOf(map(string('__proto__'), '5401', string('a'), '5402')), '{"__proto__":1,"a":2}')
    assert.equal(propertyOf(map(string('a'), '5402')), '{"a":2}')
  })

  test('an array is JSON, of any type, and of such as take no bytes', () => {
    const { array, string } = amqp
    assert.equal(bodyOf(array('50', ['01', '02', 'ff'])), '[1,2,255]')
    assert.equal(bodyOf(array('a1', ['0161', '00'])), '["a",""]')
    assert.equal(bodyOf(array('41', ['', ''])), '[true,true]')
    assert.equal(bodyOf(array('f0', [array('40', ['', '']).subarray(1)])), '[[null,null]]')
    assert.equal(
      bodyOf(array(Buffer.concat([Buffer.from('00', 'hex'), string('d'), Buffer.from('71', 'hex')]), ['00000001'])),
      '[1]',
    )
  })

  test('sequences are one JSON array, however many sections they come in; data are their bytes joined', () => {
    const { list, string, bodySequence, bodyData } = amqp
    const sequences = [bodySequence(list('5501', string('two'))), bodySequence(list(list('5503'))), bodySequence('45')]
    assert.equal(read(amqp.received(sequences)).value?.toString(), '[1,"two",[3]]')
    assert.equal(read(amqp.received([bodyData('61'), bodyData('ff')])).value?.toString('hex'), '61ff')
    assert.equal(read(amqp.received([])).value, null)
  })

  test('every property is a header, also one whose name comes twice or is no string', () => {
    const { string, symbol, properties } = amqp
    const { headers } = read(
      amqp.received([properties(string('a'), string('1'), string('a'), string('2'), symbol('b'), '41', '5507', '40')]),
    )
    assert.deepEqual(
      headers.map(({ name, value }) => [name, value?.toString() ?? null]),
      [
        ['a', '1'],
        ['a', '2'],
        ['b', 'true'],
        ['7', null],
      ],
    )
  })

  test('sections are found however their kind is spelled', () => {
    const spelled = (code: amqp.Encoded, value: amqp.Encoded) => amqp.describe(code, value)
    const { symbol, binary, map, string } = amqp
    const parts = [
      spelled(symbol('amqp:application-properties:map'), map(string('a'), string('1'))),
      spelled('800000000000000075', binary('78')),
    ]
    const { value, headers } = read(amqp.received(parts))
    assert.deepEqual([value?.toString(), headers[0]?.value?.toString()], ['x', '1'])
  })
})

suite('an event that was written through the Kafka endpoint', () => {
  const { symbol, binary, string, bodyData, properties, received } = amqp

  test('has its key, byte for byte', () => {
    const key = (value: amqp.Encoded) => read(received([bodyData('78')], [symbol('x-opt-kafka-key'), value])).key
    assert.deepEqual(key(binary('00ff')), Buffer.from('00ff', 'hex'))
    assert.deepEqual(key(binary('')), Buffer.alloc(0))
    assert.equal(key(string('streambridge:base64:AA'))?.toString(), 'streambridge:base64:AA')
    assert.equal(key('40'), null)
  })

  test('has its headers, which are bytes', () => {
    const { headers } = read(
      received([properties(string('n'), binary('00ff'), string('empty'), binary('')), bodyData('78')]),
    )
    assert.deepEqual(headers, [
      { name: 'n', value: Buffer.from('00ff', 'hex') },
      { name: 'empty', value: Buffer.alloc(0) },
    ])
  })

  test('and both keys has the one that chose its partition', () => {
    const annotations = [symbol('x-opt-kafka-key'), binary('61'), symbol('x-opt-partition-key'), string('b')]
    assert.equal(read(received([bodyData('78')], annotations)).key?.toString(), 'b')
  })
})

/** As test/support/azure-sdk-events.json has them: written by the SDKs of Python and Go, kept as the emulator gave them. */
interface SdkEvent {
  readonly encoded: string
  /** Bytes that are no text stand as `hex:…`. */
  readonly value: string | null
  readonly headers?: Readonly<Record<string, string | null>>
}

const sdkEvents = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../../test/support/azure-sdk-events.json'), 'utf8'),
) as Readonly<Record<string, readonly SdkEvent[]>>

const plain = (bytes: Buffer | null): string | null =>
  bytes?.toString('utf8') === undefined || Buffer.from(bytes.toString('utf8')).equals(bytes)
    ? (bytes?.toString('utf8') ?? null)
    : `hex:${bytes.toString('hex')}`

for (const [sdk, events] of Object.entries(sdkEvents))
  test(`what the SDK of ${sdk} writes has the documented text`, () => {
    assert.ok(events.length > 10)
    for (const { encoded, value, headers = {} } of events) {
      const record = read(Buffer.from(encoded, 'base64'))
      assert.equal(record.poison, undefined)
      assert.equal(plain(record.value), value)
      assert.deepEqual(Object.fromEntries(record.headers.map((header) => [header.name, plain(header.value)])), headers)
    }
  })
