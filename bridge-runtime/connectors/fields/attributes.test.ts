import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { BridgeRecord, Header } from '../../core/contracts.ts'
import { type AttributeLimits, attributesOf, carriedIn } from './attributes.ts'
import { keyOfText, tellsKey, textOfKey } from './text-key.ts'

const limits: AttributeLimits = {
  maxNameBytes: 256,
  maxValueBytes: 1024,
  maxAttributes: 100,
  reserved: (name) => name.startsWith('goog'),
}

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array))
const long = fc.uint8Array({ minLength: 1000, maxLength: 3000 }).map((array) => Buffer.from(array))
const name = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('a', 'goog-x', '__proto__', 'constructor', 'streambridge-packed', 'streambridge-timestamp'),
)
const header: fc.Arbitrary<Header> = fc.record({ name, value: fc.oneof(bytes, long, fc.constant(null)) })

const sorted = (headers: readonly Header[]): string[] =>
  headers.map((each) => `${each.name}=${each.value?.toString('hex') ?? 'null'}`).sort()

const record = (parts: Partial<BridgeRecord>): BridgeRecord => ({
  key: null,
  value: Buffer.from('v'),
  headers: [],
  timestamp: 1_700_000_000_000,
  position: 7,
  ...parts,
})

const roundTrip = (original: BridgeRecord, keyTold: boolean) => {
  const attributes = attributesOf(original, 'kafka/orders/3', keyTold, limits)
  for (const [key, value] of Object.entries(attributes)) {
    assert.ok(Buffer.byteLength(key) <= limits.maxNameBytes && Buffer.byteLength(value) <= limits.maxValueBytes)
    assert.ok(!limits.reserved(key) && key !== '')
  }
  const beside = { empty: (original.value ?? '').length === 0, admits: () => true }
  return { attributes, carried: carriedIn(new Map(Object.entries(attributes)), beside) }
}

test('any headers, a null value, the time and a key the service cannot tell come back as they were', () => {
  fc.assert(
    fc.property(fc.array(header, { maxLength: 6 }), fc.option(bytes), bytes, (headers, value, key) => {
      const { carried } = roundTrip(record({ headers, value, key }), false)
      const own = { name: 'streambridge-source-id', value: Buffer.from('kafka/orders/3/7') }
      assert.deepEqual(sorted(carried.headers), sorted([...headers, own]))
      assert.equal(carried.nullValue, value === null)
      assert.equal(carried.timestamp, 1_700_000_000_000)
      assert.deepEqual(carried.key, key)
    }),
  )
})

test('a header that is text is an attribute of its own name', () => {
  const { attributes } = roundTrip(record({ headers: [{ name: 'trace', value: Buffer.from('ü') }] }), true)
  assert.deepEqual(attributes, {
    'streambridge-source-id': 'kafka/orders/3/7',
    'streambridge-timestamp': '1700000000000',
    trace: 'ü',
  })
})

test('a message no bridge wrote has headers and nothing else', () => {
  const carried = carriedIn(
    new Map([
      ['colour', 'red'],
      ['streambridge-packed', '{not ours'],
    ]),
    { empty: true, admits: () => true },
  )
  assert.deepEqual(sorted(carried.headers), [
    'colour=726564',
    `streambridge-packed=${Buffer.from('{not ours').toString('hex')}`,
  ])
  assert.deepEqual({ ...carried, headers: [] }, { headers: [], nullValue: false, timestamp: undefined, key: undefined })
})

test('different keys have different texts, each of a length that fits, and come back unless only a digest fits', () => {
  const key = fc.oneof(
    bytes,
    long,
    fc.string().map((text) => Buffer.from(`streambridge:${text}`)),
  )
  const fits = (text: string): boolean => text.length <= 128
  fc.assert(
    fc.property(key, key, (one, other) => {
      const texts = [one, other].map((each) => textOfKey(each, fits))
      assert.equal(texts[0] === texts[1], one.equals(other))
      for (const [index, text] of texts.entries()) {
        assert.ok(fits(text) && text !== '')
        if (tellsKey(text)) assert.deepEqual(keyOfText(text), index === 0 ? one : other)
      }
    }),
  )
})

test('a header whose name is no text that UTF-8 can hold comes back by its name, and is no attribute', () => {
  const headers = [{ name: 'a\ud800', value: Buffer.from('1') }]
  const { attributes, carried } = roundTrip(record({ headers }), true)
  assert.ok(Object.keys(attributes).every((each) => each.isWellFormed()))
  assert.deepEqual(
    carried.headers.filter(({ name: each }) => each !== 'streambridge-source-id'),
    headers,
  )
})

test('a time beyond what 64 bits hold is carried as the nearest one, and what is no time as none', () => {
  const timeOf = (timestamp: number) => {
    const { attributes, carried } = roundTrip(record({ timestamp }), true)
    return [attributes['streambridge-timestamp'], carried.timestamp]
  }
  assert.deepEqual(timeOf(2 ** 63), ['9223372036854775807', 2 ** 63])
  assert.deepEqual(timeOf(-Infinity), ['-9223372036854775808', -(2 ** 63)])
  assert.deepEqual(timeOf(2 ** 53 + 2), ['9007199254740994', 2 ** 53 + 2])
  assert.deepEqual(timeOf(-1.5), ['-1', -1])
  assert.deepEqual(timeOf(Number.NaN), [undefined, undefined])
})
