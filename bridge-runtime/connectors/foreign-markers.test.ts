/** Marks of a bridge's own that another program has set: what contradicts them is kept, and they are headers or keys like any other. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import rhea from 'rhea'
import type { BridgeRecord } from '../core/contracts.ts'
import { incoming, recordOf as recordOfEvent } from './event-hubs/read/incoming.ts'
import { recordKey } from './kinesis/write/partition-key.ts'
import { recordOf as recordOfMessage } from './pubsub/message.ts'

interface Foreign {
  readonly body?: string
  readonly marks?: Readonly<Record<string, string>>
  readonly key?: string
}

const throughPubsub = ({ body = '', marks = {}, key = '' }: Foreign): BridgeRecord =>
  recordOfMessage({
    messageId: '7',
    data: Buffer.from(body),
    attributes: marks,
    orderingKey: key,
    publishTime: { seconds: '5', nanos: 0 },
  })

const throughEventHubs = ({ body = '', marks = {}, key }: Foreign): BridgeRecord => {
  const encoded = rhea.message.encode({
    body: rhea.message.data_section(Buffer.from(body)),
    application_properties: marks,
    message_annotations: {
      'x-opt-sequence-number': rhea.types.wrap_long(7),
      'x-opt-enqueued-time': rhea.types.wrap_timestamp(5_000),
      ...(key === undefined ? {} : { 'x-opt-partition-key': key }),
    },
  })
  return recordOfEvent(incoming(encoded, { sequenceNumber: 0, enqueued: 0 }))
}

const services = { 'Pub/Sub': throughPubsub, 'Event Hubs': throughEventHubs }
const nullValue = 'streambridge-null-value'
const packed = 'streambridge-packed'
const base64 = (text: string): string => Buffer.from(text).toString('base64url')
const packing = (value: unknown): string => base64(JSON.stringify(value))

const headersOf = ({ headers }: BridgeRecord): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(headers.map(({ name, value }) => [name, value?.toString()]))

for (const [service, received] of Object.entries(services)) {
  test(`${service}: a body is kept beside the mark of a null value, which is then a header`, () => {
    const record = received({ body: 'paid', marks: { [nullValue]: 'true' } })
    assert.equal(record.value?.toString(), 'paid')
    assert.deepEqual(headersOf(record), { [nullValue]: 'true' })
  })

  test(`${service}: the mark of a null value is believed where the body is empty, and only as a bridge writes it`, () => {
    const believed = received({ marks: { [nullValue]: 'true' } })
    assert.deepEqual([believed.value, headersOf(believed)], [null, {}])
    const denied = received({ marks: { [nullValue]: 'false' } })
    assert.deepEqual([denied.value, headersOf(denied)], [Buffer.alloc(0), { [nullValue]: 'false' }])
  })

  test(`${service}: the service's own key is kept against a packed one that it does not stand for`, () => {
    const mark = packing({ key: base64('another'), headers: [['colour', base64('red')]] })
    const record = received({ body: 'x', key: 'mine', marks: { [packed]: mark } })
    assert.equal(record.key?.toString(), 'mine')
    assert.deepEqual(headersOf(record), { [packed]: mark })
  })

  test(`${service}: what looks packed and is not is kept as headers, to the last attribute`, () => {
    const attempts = [
      'no base64 at all',
      base64('[]'),
      packing({ headers: [['a', 'not base64!']] }),
      packing({ headers: [['a', base64('1'), 'more']] }),
      packing({ headers: [], more: 'content' }),
      packing({ key: 'no base64 either' }),
    ]
    for (const mark of attempts) {
      const marks = { [packed]: mark, [`${packed}-2`]: '', [`${packed}-7`]: 'seven', [`${packed}-note`]: 'mine' }
      assert.deepEqual(headersOf(received({ body: 'x', marks })), marks, mark)
    }
  })

  test(`${service}: attributes whose names begin like packed ones are kept beside what is packed`, () => {
    const rest = { [`${packed}-7`]: 'seven', [`${packed}-note`]: 'mine', [`${packed}less`]: 'less' }
    const mark = packing({ headers: [['colour', base64('red')]] })
    const record = received({ body: 'x', marks: { [packed]: mark, ...rest } })
    assert.deepEqual(headersOf(record), { ...rest, colour: 'red' })
  })

  test(`${service}: a time that is none is a header, and the service's own time counts`, () => {
    for (const text of ['yesterday', '', '1e3', '99999999999999999999', '9223372036854775808']) {
      const record = received({ body: 'x', marks: { 'streambridge-timestamp': text } })
      assert.deepEqual([record.timestamp, headersOf(record)], [5_000, { 'streambridge-timestamp': text }])
    }
  })

  test(`${service}: a key that looks marked and is not what a bridge writes is kept as it is`, () => {
    for (const key of looksMarked) assert.equal(received({ body: 'x', key }).key?.toString(), key)
  })
}

const looksMarked = [
  'streambridge:base64:not base64!',
  'streambridge:base64:YR',
  `streambridge:base64:${base64('plain text')}`,
  'streambridge:sha256:short',
  'streambridge:none:',
  'streambridge:else',
]

test('Kinesis: a partition key that looks marked and is not what a bridge writes is kept as it is', () => {
  for (const key of [
    ...looksMarked,
    'streambridge:none:my-orders',
    'streambridge:none:zzzzzzz',
    'streambridge:none:007',
  ])
    assert.equal(recordKey(key)?.toString(), key)
})
