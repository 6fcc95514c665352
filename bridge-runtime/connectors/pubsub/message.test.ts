import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { BridgeRecord } from '../../core/contracts.ts'
import { BridgeError } from '../../core/errors.ts'
import { messageOf, orderingKeyOf, recordOf } from './message.ts'

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array))
const records: fc.Arbitrary<BridgeRecord> = fc.record({
  key: fc.option(
    fc.oneof(
      bytes(40),
      fc.string().map((text) => Buffer.from(text)),
      bytes(3_000),
    ),
  ),
  value: fc.option(bytes(100)),
  headers: fc.array(fc.record({ name: fc.string({ maxLength: 300 }), value: fc.option(bytes(1_500)) }), {
    maxLength: 6,
  }),
  timestamp: fc.nat(),
  position: fc.nat(),
})

const sorted = (headers: BridgeRecord['headers']): string[] =>
  headers.map(({ name, value }) => `${name}=${value?.toString('hex') ?? 'null'}`).sort((a, b) => a.localeCompare(b))

test('a record comes out as it went in: key, value, headers, timestamp, null and empty', () => {
  for (const keyed of [true, false])
    fc.assert(
      fc.property(records, (record) => {
        const orderingKey = keyed ? orderingKeyOf(record.key) : ''
        const outgoing = messageOf(record, 'kafka/orders/0', orderingKey)
        if (outgoing instanceof BridgeError) assert.fail(outgoing.message)
        const back = recordOf({ ...outgoing.message, messageId: '7' })
        assert.deepEqual([back.key, back.value, back.timestamp], [record.key, record.value, record.timestamp])
        const headers = back.headers.filter(({ name }) => name !== 'streambridge-source-id')
        assert.deepEqual(
          sorted(headers),
          sorted(record.headers.filter(({ name }) => name !== 'streambridge-source-id')),
        )
      }),
    )
})

test('a message keeps to the limits of the service: attribute names and values, ordering key, and no name that begins with goog', () => {
  fc.assert(
    fc.property(records, (record) => {
      const outgoing = messageOf(
        { ...record, headers: [...record.headers, { name: 'googclient_x', value: Buffer.from('1') }] },
        'o',
        orderingKeyOf(record.key),
      )
      if (outgoing instanceof BridgeError) assert.fail(outgoing.message)
      const { attributes = {}, orderingKey = '' } = outgoing.message
      for (const [name, value] of Object.entries(attributes ?? {})) {
        assert.ok(Buffer.byteLength(name) <= 256 && Buffer.byteLength(value) <= 1024 && !name.startsWith('goog'))
      }
      assert.ok(Buffer.byteLength(orderingKey ?? '') <= 1024)
    }),
  )
})

test('what is larger than a message may be is poison, with its size and the limit', () => {
  const record = { key: null, value: Buffer.alloc(10_000_001), headers: [], timestamp: 0, position: 1 }
  const refused = messageOf(record, 'o', '')
  assert.ok(refused instanceof BridgeError)
  assert.deepEqual([refused.kind, refused.reason], ['poison', 'RecordTooLarge'])
  assert.match(refused.message, /1000\d{4} bytes .* limit of 10000000 bytes/)
})

test('a record of more headers than a message has attributes fits, the smallest of them packed', () => {
  const headers = Array.from({ length: 300 }, (_, index) => ({ name: `h${index}`, value: Buffer.from('1') }))
  const outgoing = messageOf({ key: null, value: null, headers, timestamp: 5, position: 1 }, 'o', '')
  if (outgoing instanceof BridgeError) assert.fail(outgoing.message)
  const back = recordOf({ ...outgoing.message, messageId: '2' })
  assert.deepEqual([back.value, back.timestamp], [null, 5])
  assert.deepEqual(sorted(back.headers.filter(({ name }) => name !== 'streambridge-source-id')), sorted(headers))
})

test('a message of somebody else is a record: its publish time, its attributes as headers', () => {
  const record = recordOf({
    messageId: '12',
    data: Buffer.from('v'),
    attributes: { type: 'order' },
    publishTime: { seconds: '1700000000', nanos: 5_000_000 },
  })
  assert.deepEqual(record, {
    key: null,
    value: Buffer.from('v'),
    headers: [{ name: 'type', value: Buffer.from('order') }],
    timestamp: 1_700_000_000_005,
    position: '12',
  })
})

/** A legal message of another program: so many attributes, each with a value of so many characters. */
const foreign = (attributes: number, length: number, nameLength = 1) => ({
  messageId: '9',
  orderingKey: 'k',
  data: Buffer.from('v'),
  publishTime: { seconds: 1_700_000_000, nanos: 0 },
  attributes: Object.fromEntries(
    Array.from({ length: attributes }, (_, at) => [`${at}`.padEnd(nameLength, 'n'), 'ü'.repeat(length / 2)]),
  ),
})

for (const [attributes, length, nameLength] of [
  [98, 1_024, 256],
  [99, 10, 10],
  [100, 10, 10],
  [100, 300, 20],
] as const) {
  test(`a message of ${attributes} attributes of ${length} bytes goes through a topic, and through the next one, as it was`, () => {
    const record = recordOf(foreign(attributes, length, nameLength))
    let passing = record
    for (const topic of ['first', 'second']) {
      const outgoing = messageOf(passing, `pubsub/${topic}`, 'k')
      if (outgoing instanceof BridgeError) assert.fail(outgoing.message)
      const carried = outgoing.message.attributes ?? {}
      assert.ok(Object.keys(carried).length <= 100)
      for (const value of Object.values(carried)) assert.ok(Buffer.byteLength(value) <= 1_024)
      passing = recordOf({ ...outgoing.message, messageId: '10' })
    }
    const headers = passing.headers.filter(({ name }) => name !== 'streambridge-source-id')
    assert.deepEqual(sorted(headers), sorted(record.headers))
    assert.deepEqual([passing.key, passing.value, passing.timestamp], [record.key, record.value, record.timestamp])
  })
}

test('the largest attributes that a message can have go through without the origin and the time, which find no room', () => {
  const record = recordOf(foreign(100, 1_024, 256))
  const outgoing = messageOf(record, 'pubsub/orders', 'k')
  if (outgoing instanceof BridgeError) assert.fail(outgoing.message)
  assert.equal(Object.keys(outgoing.message.attributes ?? {}).length, 100)
  assert.deepEqual(sorted(recordOf({ ...outgoing.message, messageId: '10' }).headers), sorted(record.headers))
})

test('headers for which a message has no room are poison, with what there is room for and what to do', () => {
  const headers = [{ name: 'photo', value: Buffer.alloc(200_000, 1) }]
  const refused = messageOf({ key: null, value: null, headers, timestamp: 0, position: 3 }, 'kafka/orders/0', '')
  assert.ok(refused instanceof BridgeError)
  assert.deepEqual([refused.kind, refused.reason], ['poison', 'RecordTooLarge'])
  assert.match(refused.message, /1 header of 200005 bytes .* no room .* 100 attributes of 1024 bytes.* drop or shorten/)
})
