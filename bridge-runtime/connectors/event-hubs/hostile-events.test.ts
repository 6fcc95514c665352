/** Events that are not what they claim to be, or more than they look: they cost no more than their bytes, and are set aside. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import rhea, { type Message } from 'rhea'
import * as amqp from '../../../test/support/amqp-bytes.ts'
import { randomNumbers } from '../../../test/support/verifier.ts'
import type { BridgeRecord } from '../../core/contracts.ts'
import { Arrivals } from './read/arrivals.ts'
import { incoming, recordOf } from './read/incoming.ts'

const presumed = { sequenceNumber: 5, enqueued: 6 }
const read = (bytes: Buffer) => recordOf(incoming(bytes, presumed))

function poisonOf(bytes: Buffer): string {
  const { poison, value, key, headers } = read(bytes)
  assert.ok(poison, 'it is poison')
  assert.deepEqual([poison.kind, poison.reason], ['poison', 'UnreadableRecord'])
  assert.equal(value, bytes)
  assert.deepEqual([key, headers], [null, []])
  return poison.message
}

const nested = (depth: number, inner: string, around: (value: Buffer) => Buffer): Buffer => {
  let value: Buffer = Buffer.from(inner, 'hex')
  for (let level = 0; level < depth; level += 1) value = around(value)
  return value
}

const array = (count: number, constructor: string): Buffer => amqp.array(constructor, [], count)
const { list, map, string, bodyValue, bodyData, properties, received, section } = amqp

/** [what, the body or property, what the poison says]. */
const bombs: readonly (readonly [string, Buffer, RegExp])[] = [
  ['a list nested 5,000 deep', nested(5_000, '40', (value) => list(value)), /nested deeper than 64/],
  ['a map nested 5,000 deep', nested(5_000, '40', (value) => map(string('a'), value)), /nested deeper than 64/],
  [
    'an array nested 5,000 deep',
    nested(5_000, '40', (value) => amqp.array(value.subarray(0, 1), [value.subarray(1)], 1)),
    /nested deeper/,
  ],
  [
    'a value described 100,000 times',
    Buffer.concat([Buffer.alloc(100_000), Buffer.from('40', 'hex')]),
    /beyond its bounds/,
  ],
  ['a map whose keys are maps in maps', nested(63, '40', (value) => map(map(value, '40'), '40')), /for a key/],
  ['an array that claims 100,000,000 nulls', array(100_000_000, '40'), /claim more than 1024 elements/],
  ['an array that claims 100,000,000 described nulls', array(100_000_000, '00530140'), /claim more than 1024/],
  ['an array that claims 4,294,967,295 empty lists', array(4_294_967_295, '45'), /claim more than 1024/],
  ['an array that claims 100,000,000 bytes', array(100_000_000, '50'), /beyond its bounds/],
  [
    'many arrays that claim 1,000 nulls each',
    list(...Array.from({ length: 1_000 }, () => array(1_000, '40'))),
    /claim more than 1024/,
  ],
  ['a list that claims 4,294,967,295 elements', Buffer.from('d000000004ffffffff', 'hex'), /beyond its bounds/],
  ['a map that claims 4,294,967,294 entries', Buffer.from('d100000004fffffffe', 'hex'), /beyond its bounds/],
  ['a string of 4 GiB', Buffer.from('b1ffffffff', 'hex'), /beyond its bounds/],
]

/** [what, the encoded value]. */
const broken: readonly (readonly [string, string])[] = [
  ['a type that AMQP has not', '57'],
  ['a type of no width', '10'],
  ['a number that is cut off', '8100'],
  ['a boolean of 2', '5602'],
  ['a character beyond Unicode', '7300110000'],
  ['half of a character', '730000d800'],
  ['a map with a key and no value', 'c1020140'],
  ['a list that is larger than its elements', 'c003014040'],
  ['a list that holds more than its size', 'c002024040'],
  ['nothing', ''],
  ['two values', '4040'],
]

suite('an event that cannot be read is poison with its bytes and its position', () => {
  for (const [what, value, says] of bombs)
    test(`${what}, as a body, a sequence and a property`, () => {
      const inBody = received([bodyValue(value)])
      assert.match(poisonOf(inBody), says)
      assert.equal(read(inBody).position, '7')
      assert.match(poisonOf(received([properties(string('a'), value), bodyData('78')])), says)
      poisonOf(received([section(0x76, list(value))]))
    })

  for (const [what, hex] of broken)
    test(what, () => {
      poisonOf(received([section(0x77, hex)]))
      const message = poisonOf(received([section(0x74, list('40')), bodyData('78')]))
      assert.match(message, /byte [0-9]+: no map/)
    })

  test('a string that is not UTF-8, where it has to be text', () => {
    poisonOf(received([bodyValue(list('a101ff'))]))
    poisonOf(received([bodyValue(map('a101ff', '40'))]))
    poisonOf(received([properties('a101ff', '40')]))
  })

  test('a second body, a second section of properties, a section of no kind, data that are no bytes', () => {
    poisonOf(received([bodyData('78'), bodyValue('40')]))
    poisonOf(received([bodyValue('40'), bodyValue('40')]))
    poisonOf(received([properties(), properties()]))
    poisonOf(received([section(0x60, '40')]))
    poisonOf(received([section(0x75, '41')]))
    poisonOf(received([section(0x76, '41')]))
    poisonOf(received(['41']))
  })

  test('without a number and a time of the service it has those that are presumed', () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('garbage'), bodyData('78')]) {
      const event = incoming(bytes, presumed)
      assert.deepEqual([event.sequenceNumber, event.enqueued], [5, 6])
      poisonOf(bytes)
    }
  })

  test('its neighbours in the batch are as they are', () => {
    const arrivals = new Arrivals()
    for (const body of [bodyData('61'), bodyValue(array(100_000_000, '40')), bodyData('62')])
      arrivals.add(incoming(received([body]), presumed))
    const records = arrivals.take()?.records() ?? []
    assert.deepEqual(
      records.map(({ value, poison }) => poison?.reason ?? value?.toString()),
      ['a', 'UnreadableRecord', 'b'],
    )
  })
})

test('64 levels and 1,024 elements without bytes are read', () => {
  assert.equal(read(received([bodyValue(nested(64, '40', (value) => list(value)))])).value?.length, 4 + 2 * 64)
  assert.equal(read(received([bodyValue(array(1_024, '41'))])).value?.length, 1 + 5 * 1_024)
})

test('the text of a value has at most seven times its bytes', () => {
  const size = 1_000_000
  const worst = Buffer.concat(Array.from({ length: size }, () => Buffer.from('42', 'hex')))
  const false_ = Buffer.concat([Buffer.from('d0', 'hex'), uint32(size + 4), uint32(size), worst])
  assert.ok((read(received([bodyValue(false_)])).value?.length ?? 0) < 7 * size)
  const quotes = read(received([bodyValue(list(amqp.string('\u0001'.repeat(size))))]))
  assert.ok((quotes.value?.length ?? 0) < 7 * size)
})

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

interface Fixture {
  readonly encoded: string
}
const fixtures = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../test/support/azure-sdk-events.json'), 'utf8'),
) as Readonly<Record<string, readonly Fixture[]>>

/** Changed by a few bytes, cut off, lengthened, or with a part said twice. */
function mutated(bytes: Buffer, random: () => number): Buffer {
  const below = (limit: number): number => Math.floor(random() * limit)
  let changed = Buffer.from(bytes)
  for (let change = 0; change <= below(4); change += 1) {
    const at = below(changed.length)
    const kind = below(6)
    if (kind === 0) changed = changed.subarray(0, at)
    else if (kind === 1) changed = Buffer.concat([changed.subarray(0, at), changed.subarray(below(changed.length))])
    else if (kind === 2) changed = Buffer.concat([changed, Buffer.alloc(below(20), below(256))])
    else if (changed.length > 0)
      changed[at] = [0x00, 0xff, 0x40, 0xf0, 0xd0, 0xc0, 0x53, 0x80, below(256)][below(9)] ?? 0
    if (changed.length === 0) return changed
  }
  return changed
}

/** Undefined where it stumbles over a section that is not carried, and so not looked into. */
function decodedByLibrary(bytes: Buffer): Partial<Message> | undefined {
  try {
    return rhea.message.decode(bytes) as unknown as Message
  } catch {
    return undefined
  }
}

/** @returns whether there was a body to compare */
function asTheLibraryReads(record: BridgeRecord, bytes: Buffer): boolean {
  const { body, application_properties: texts = {} } = decodedByLibrary(bytes) ?? {}
  for (const { name, value } of record.headers) {
    const text = (texts as Readonly<Record<string, unknown>>)[name]
    if (typeof text === 'string' && !text.includes('\uFFFD')) assert.equal(value?.toString(), text)
  }
  const { content, typecode } = Object(body) as { readonly content?: unknown; readonly typecode?: number }
  if (typecode !== 0x75 || !Buffer.isBuffer(content)) return false
  assert.deepEqual(record.value, content, bytes.toString('hex'))
  return true
}

test('of 20,000 mutated events of the vendors’ SDKs each is poison, or what an independent decoder reads', () => {
  const random = randomNumbers(1_311)
  const originals = Object.values(fixtures).flat()
  let [readable, compared] = [0, 0]
  for (let round = 0; round < 20_000; round += 1) {
    const { encoded } = originals[round % originals.length] ?? assert.fail()
    const bytes = mutated(Buffer.from(encoded, 'base64'), random)
    const record = read(bytes)
    if (record.poison === undefined) {
      readable += 1
      assert.ok((record.value?.length ?? 0) <= 7 * bytes.length + 7 * 1_024)
      compared += Number(asTheLibraryReads(record, bytes))
    } else assert.equal(record.value, bytes)
  }
  assert.ok(readable > 1_000 && compared > 50, `${readable} readable, ${compared} compared`)
})
