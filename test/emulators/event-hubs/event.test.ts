import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { message, types } from './amqp.ts'
import { section, sectionsOf } from './encoded.ts'
import { batch, delivered, single, type StoredEvent } from './event.ts'

const stored = (bytes: Buffer, partitionKey?: string): StoredEvent => ({
  bytes,
  partitionKey,
  sequenceNumber: 5_000_000_000,
  offset: 12_345,
  enqueuedTime: 1_790_000_000_000,
})

const text = fc.string({ maxLength: 300 })
const properties = fc.dictionary(
  text,
  fc.oneof(text, fc.integer(), fc.boolean(), fc.float({ noNaN: true, min: -1e6, max: 1e6 })),
)
const body = fc.oneof(
  fc.uint8Array({ maxLength: 400 }).map((bytes) => message.data_section(Buffer.from(bytes))),
  fc
    .array(fc.uint8Array({ maxLength: 40 }), { minLength: 2, maxLength: 3 })
    .map((parts) => message.data_sections(parts.map((part) => Buffer.from(part)))),
  fc.array(fc.integer(), { maxLength: 5 }).map((list) => message.sequence_section(list)),
  fc.oneof(text, fc.integer(), fc.constant(null)),
)
const anyMessage = fc.record({
  body,
  application_properties: properties,
  // Not `__proto__`: the decoder this test looks with assigns it, so it sees none.
  message_annotations: fc.dictionary(
    fc.string({ unit: 'grapheme-ascii', maxLength: 20 }).filter((name) => name !== '__proto__'),
    fc.oneof(text, fc.integer()),
  ),
  subject: text,
  message_id: fc.oneof(text, fc.constant(Buffer.alloc(16, 7))),
  durable: fc.boolean(),
})

const tail = (bytes: Buffer): Buffer =>
  bytes.subarray(sectionsOf(bytes).find(({ code }) => code > section.messageAnnotations)?.start ?? bytes.length)

test('a reader gets the sender’s sections byte for byte, with the service’s annotations added', () => {
  fc.assert(
    fc.property(anyMessage, (sent) => {
      const bytes = message.encode(sent)
      const got = delivered(stored(bytes, 'the key'), undefined)
      assert.deepEqual(tail(got), tail(bytes))
      assert.deepEqual(message.decode(got)['message_annotations'], {
        'x-opt-sequence-number': 5_000_000_000,
        'x-opt-offset': '12345',
        'x-opt-enqueued-time': new Date(1_790_000_000_000),
        'x-opt-partition-key': 'the key',
        ...sent.message_annotations,
      })
    }),
  )
})

test('a sender’s own sequence number, offset and time are not believed', () => {
  const claimed = {
    'x-opt-sequence-number': types.wrap_long(1),
    'x-opt-offset': 'x',
    'x-opt-enqueued-time': 3,
    mine: 'kept',
  }
  const got = delivered(stored(message.encode({ body: 'b', message_annotations: claimed })), undefined)
  const annotations = message.decode(got)['message_annotations'] as Record<string, unknown>
  assert.equal(annotations['x-opt-sequence-number'], 5_000_000_000)
  assert.equal(annotations['x-opt-offset'], '12345')
  assert.equal(annotations['mine'], 'kept')
})

test('a reader that tracks the end is told it with each event', () => {
  const last = { sequenceNumber: 9, offset: 900, enqueuedTime: 1_000 }
  const got = message.decode(delivered(stored(message.encode({ body: 'b' })), { last, now: 2_000 }))
  assert.deepEqual(got['delivery_annotations'], {
    last_enqueued_sequence_number: 9,
    last_enqueued_offset: '900',
    last_enqueued_time_utc: new Date(1_000),
    runtime_info_retrieval_time_utc: new Date(2_000),
  })
})

test('a batch gives its events in order, each with the key of the batch unless it has its own', () => {
  const events = [
    message.encode({ body: 'first' }),
    message.encode({ body: 'second', message_annotations: { 'x-opt-partition-key': 'own' } }),
  ]
  const envelope = { body: message.data_sections(events), message_annotations: { 'x-opt-partition-key': 'batch' } }
  const sent = batch(message.encode(envelope))
  assert.equal(sent.partitionKey, 'batch')
  assert.deepEqual(sent.events, [
    { bytes: events[0], partitionKey: 'batch' },
    { bytes: events[1], partitionKey: 'own' },
  ])
})

test('bytes that are no message are refused, never half taken', () => {
  const good = message.encode({
    body: message.data_sections([message.encode({ body: 'event' }), Buffer.from('no event')]),
  })
  assert.throws(() => batch(good))
  assert.throws(() => batch(message.encode({ body: 'no data section' })))
  assert.throws(() => single(Buffer.from('nonsense')))
  fc.assert(
    fc.property(fc.nat(), (cut) => {
      const bytes = message.encode({ body: message.data_section(Buffer.alloc(50, 1)), subject: 'whole' })
      const ends = sectionsOf(bytes).map(({ end }) => end)
      const at = cut % bytes.length
      if (at > 0 && !ends.includes(at)) assert.throws(() => single(bytes.subarray(0, at)))
    }),
  )
})
