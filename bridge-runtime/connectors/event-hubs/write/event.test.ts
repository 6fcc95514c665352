import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import rhea, { type Message } from 'rhea'
import type { BridgeRecord, Header } from '../../../core/contracts.ts'
import { eventOf } from './event.ts'
import { incoming as incomingOr, type IncomingEvent, recordOf } from '../read/incoming.ts'

const incoming = (encoded: Buffer): IncomingEvent => incomingOr(encoded, { sequenceNumber: 0, enqueued: 0 })

const whole = (bytes: Buffer): Message => ({ body: undefined, ...rhea.message.decode(bytes) })

/** Reads a batch with the AMQP library, as any receiver does. */
function decode(batch: Buffer): Message[] {
  const { body } = whole(batch)
  const { content } = body as { readonly content: Buffer | readonly Buffer[] }
  return [content].flat().map(whole)
}

/** As it comes back from the service, which adds annotations of its own. */
const received = (message: Message, sequenceNumber = 7): Buffer =>
  rhea.message.encode({
    ...message,
    delivery_annotations: { last_enqueued_sequence_number: rhea.types.wrap_long(99) },
    message_annotations: {
      ...message.message_annotations,
      'x-opt-sequence-number': rhea.types.wrap_long(sequenceNumber),
      'x-opt-offset': '12345',
      'x-opt-enqueued-time': rhea.types.wrap_timestamp(1_700_000_000_000),
    },
  })

const bytes = (longest: number) => fc.uint8Array({ maxLength: longest }).map((each) => Buffer.from(each))
const header: fc.Arbitrary<Header> = fc.record({
  name: fc.oneof(fc.string({ maxLength: 20 }), fc.string({ minLength: 250, maxLength: 300 })),
  value: fc.option(
    fc.oneof(
      bytes(20),
      bytes(400),
      fc.string().map((text) => Buffer.from(text)),
    ),
  ),
})
const record: fc.Arbitrary<BridgeRecord> = fc.record({
  key: fc.option(
    fc.oneof(
      bytes(100),
      fc.string({ maxLength: 200 }).map((text) => Buffer.from(text)),
    ),
  ),
  value: fc.option(fc.oneof(bytes(100), bytes(1_000))),
  headers: fc.uniqueArray(header, { selector: ({ name }) => name, maxLength: 5 }),
  timestamp: fc.integer({ min: 0, max: 4_000_000_000_000 }),
  position: fc.nat(),
})

const byName = (headers: readonly Header[]): unknown =>
  headers
    .filter(({ name }) => name !== 'streambridge-source-id')
    .map(({ name, value }) => [name, value?.toString('hex') ?? null])
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))

test('a record comes back as it went: key, value, headers and time, also where they are empty, absent or bytes', () => {
  fc.assert(
    fc.property(record, (given) => {
      const [message] = decode(eventOf(given, 'test/hub/0').bytes)
      assert.ok(message)
      const back = recordOf(incoming(received(message)))
      assert.deepEqual([back.key, back.value, back.timestamp], [given.key, given.value, given.timestamp])
      const ours = given.headers.filter(({ name }) => name !== 'streambridge-source-id')
      assert.deepEqual(byName(back.headers), byName(ours))
      assert.equal(back.position, '7')
    }),
  )
})

test('events that are joined are a batch, in order', () => {
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 10 }), (records) => {
      const batch = Buffer.concat(records.map((each) => eventOf(each, 'test/hub/0').bytes))
      const values = decode(batch).map((message, index) => recordOf(incoming(received(message, index))).value)
      assert.deepEqual(
        values,
        records.map(({ value }) => value),
      )
    }),
  )
})

test('the partition key is kept with the event where every reader looks for it', () => {
  const given = { key: Buffer.from('order-42'), value: Buffer.from('x'), headers: [], timestamp: 1, position: 1 }
  const event = eventOf(given, 'test/hub/0')
  assert.equal(event.key?.toString(), 'order-42')
  assert.equal(decode(event.bytes)[0]?.message_annotations?.['x-opt-partition-key'], 'order-42')
})

test('a body in several data sections is their bytes joined', () => {
  const body = rhea.message.data_sections([Buffer.from('one '), Buffer.from('two')] as never)
  const message = whole(rhea.message.encode({ body }))
  assert.equal(recordOf(incoming(received(message))).value?.toString(), 'one two')
})

test('what arrives is read as an independent decoder reads it', () => {
  fc.assert(
    fc.property(record, fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (given, sequenceNumber) => {
      const [message] = decode(eventOf(given, 'test/hub/0').bytes)
      assert.ok(message)
      const event = incoming(received(message, sequenceNumber))
      assert.deepEqual([event.sequenceNumber, event.enqueued, event.last], [sequenceNumber, 1_700_000_000_000, 99])
      const { value, headers } = recordOf(event)
      const { content } = message.body as { readonly content: Buffer }
      assert.deepEqual(value ?? Buffer.alloc(0), content)
      const texts = message.application_properties ?? {}
      for (const { name, value: text } of headers)
        if (name in texts && typeof texts[name] === 'string') assert.equal(text?.toString(), texts[name])
    }),
  )
})
