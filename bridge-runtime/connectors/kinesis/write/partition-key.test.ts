import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { partitionKey, recordKey } from './partition-key.ts'

const keyOf = (key: Buffer | null, position: number | string = 0) => partitionKey({ key, position }, 'kafka/orders/0')

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array)),
  fc.string({ unit: 'binary', maxLength: 300 }).map((text) => Buffer.from(text, 'utf8')),
  fc
    .constantFrom('streambridge:', 'streambridge:none:1', 'streambridge:base64:YQ', '', '\uFEFFa')
    .map((text) => Buffer.from(text)),
)

test('every key becomes 1 to 256 characters, and different keys stay different', () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      const [first, second] = [keyOf(a), keyOf(b)]
      assert.ok(first.length >= 1 && first.length <= 256)
      assert.equal(first === second, a.equals(b))
      assert.notEqual(first, keyOf(null))
    }),
    { numRuns: 2_000 },
  )
})

test('a key that fits comes back as the same bytes', () => {
  fc.assert(
    fc.property(bytes, (key) => {
      const back = recordKey(keyOf(key))
      const replaced = keyOf(key).startsWith('streambridge:sha256:')
      assert.ok(replaced ? key.length > 170 : back?.equals(key))
    }),
    { numRuns: 2_000 },
  )
})

test('text is taken as it is', () => {
  assert.equal(keyOf(Buffer.from('größe-42')), 'größe-42')
  assert.equal(keyOf(Buffer.from('k'.repeat(256))), 'k'.repeat(256))
})

test('records without a key spread over partition keys, the same each time, and come back without one', () => {
  const keys = Array.from({ length: 1_000 }, (_, position) => keyOf(null, position))
  assert.equal(new Set(keys).size, 1_000)
  assert.equal(keyOf(null, 7), keys[7])
  assert.equal(recordKey(keys[7] ?? ''), null)
})
