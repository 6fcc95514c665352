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
  const headers = Array.from({ length: 101 }, (_, index) => ({ name: `h${index}`, value: Buffer.from('1') }))
  const crowded = messageOf({ ...record, value: null, headers }, 'o', '')
  assert.ok(crowded instanceof BridgeError)
  assert.match(crowded.message, /103 attributes|104 attributes/)
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
