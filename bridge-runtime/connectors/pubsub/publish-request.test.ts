import assert from 'node:assert/strict'
import { test } from 'node:test'
import { protos } from '@google-cloud/pubsub'
import fc from 'fast-check'
import { encodePublishRequest } from './publish-request.ts'

const { PublishRequest } = protos.google.pubsub.v1
const text = fc.string({ unit: 'grapheme', maxLength: 300 })
const message = fc.record({
  data: fc.uint8Array({ maxLength: 20_000 }).map((bytes) => Buffer.from(bytes)),
  attributes: fc.dictionary(text, text, { maxKeys: 8, noNullPrototype: true }),
  orderingKey: text,
})

test('the vendor’s decoder reads from a request what was put in', () => {
  fc.assert(
    fc.property(text, fc.array(message, { maxLength: 5 }), (topic, messages) => {
      const found = PublishRequest.decode(encodePublishRequest(topic, messages))
      assert.equal(found.topic, topic)
      assert.deepEqual(
        found.messages.map(({ data, attributes, orderingKey }) => ({
          data: Buffer.from(data as Uint8Array),
          attributes: { ...attributes },
          orderingKey,
        })),
        messages.map((each) => ({ ...each, attributes: { ...each.attributes } })),
      )
    }),
  )
})
