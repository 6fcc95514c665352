import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Delivery, type Held, Inventory } from './inventory.ts'

const lease = 15_000
const inventory = (): Inventory => new Inventory({ lease, maxExtension: 3_600_000 }, 0)
const delivery = (id: string, orderingKey = '', attempt = 1): Delivery => ({
  ackId: `${id}#${attempt}`,
  message: { messageId: id, orderingKey, data: Buffer.from(id) },
})
const ids = (held: readonly Held[]): string[] => held.map(({ id }) => id)
const all = (stock: Inventory): Held[] => stock.take(1_000, 1_000_000)

test('a message that comes again while its first copy is in flight is not handed on twice, and is acknowledged by its newest id', () => {
  const stock = inventory()
  stock.received([delivery('1', 'k'), delivery('2', 'k')], 0)
  const [first] = stock.take(1, 1_000)
  assert.ok(first)
  assert.deepEqual(stock.received([delivery('1', 'k', 2), delivery('2', 'k', 2)], 10), [])
  assert.deepEqual(ids(all(stock)), ['2'])
  assert.equal(stock.settle(first), true)
  assert.equal(first.ackId, '1#2')
})

test('a message that was settled lately is acknowledged when it comes again, not handed on', () => {
  const stock = inventory()
  stock.received([delivery('1', 'k')], 0)
  for (const held of all(stock)) {
    stock.settle(held)
    stock.answered(held, 'taken', 5)
  }
  assert.deepEqual(stock.received([delivery('1', 'k', 2), delivery('2', 'k')], 20_000), ['1#2'])
  assert.deepEqual(ids(all(stock)), ['2'])
})

test('another message with the id of one that was settled lately, as an emulator that began again gives, is handed on', () => {
  const stock = inventory()
  const at = (seconds: number): Delivery => {
    const { ackId, message } = delivery('1')
    return { ackId, message: { ...message, publishTime: { seconds } } }
  }
  stock.received([at(1)], 0)
  for (const held of all(stock)) {
    stock.settle(held)
    stock.answered(held, 'taken', 5)
  }
  assert.deepEqual(stock.received([at(2), at(1)], 10), ['1#1'])
  assert.deepEqual(ids(all(stock)), ['1'])
})

test('a message that is replayed on purpose minutes later is handed on', () => {
  const stock = inventory()
  stock.received([delivery('1')], 0)
  for (const held of all(stock)) {
    stock.settle(held)
    stock.answered(held, 'taken', 5)
  }
  assert.deepEqual(stock.received([delivery('1', '', 2)], 180_000), [])
  assert.deepEqual(ids(all(stock)), ['1'])
})

test('a lapsed lease makes forget what waits behind it of its key, and nothing before it or of other keys', () => {
  const stock = inventory()
  stock.received([delivery('1', 'k'), delivery('2', 'k'), delivery('a', 'other'), delivery('3', 'k')], 0)
  const second = stock.expiring(lease).find(({ id }) => id === '2')
  assert.ok(second)
  stock.lapse([second], 1)
  assert.deepEqual(ids(all(stock)), ['1', 'a'])
  stock.received([delivery('2', 'k', 2), delivery('3', 'k', 2)], 2)
  assert.deepEqual(ids(all(stock)), ['2', '3'])
})

test('what was handed on and lapsed goes on; what waits of its key is forgotten', () => {
  const stock = inventory()
  stock.received([delivery('1', 'k'), delivery('2', 'k')], 0)
  const [first] = stock.take(1, 1_000)
  assert.ok(first)
  assert.deepEqual(ids(stock.lapsed(lease)), ['1', '2'])
  stock.lapse(stock.lapsed(lease), lease)
  assert.equal(stock.waiting, 0)
  assert.equal(stock.settle(first), true)
})

test('leases are extended at half-time, until the longest extension', () => {
  const stock = new Inventory({ lease, maxExtension: 60_000 }, 0)
  stock.received([delivery('1')], 0)
  assert.deepEqual(ids(stock.expiring(7_000)), [])
  const [held] = stock.expiring(8_000)
  assert.ok(held)
  stock.extended(held, 8_000 + lease)
  assert.deepEqual(stock.expiring(9_000), [])
  assert.deepEqual(stock.expiring(60_000), [])
})

test('what is settled counts until its acknowledgement is confirmed, but not its bytes', () => {
  const stock = inventory()
  stock.received([delivery('12345')], 0)
  const [held] = all(stock)
  assert.ok(held)
  stock.settle(held)
  assert.deepEqual([stock.count, stock.bytes], [1, 0])
  assert.equal(stock.settle(held), false)
  stock.answered(held, 'taken', 1)
  assert.equal(stock.count, 0)
})

test('a release forgets what is open and leaves what is settled', () => {
  const stock = inventory()
  stock.received([delivery('1'), delivery('2'), delivery('3')], 0)
  const [first] = stock.take(2, 1_000)
  assert.ok(first)
  stock.settle(first)
  assert.deepEqual(ids(stock.release()), ['2', '3'])
  assert.deepEqual([stock.count, stock.waiting, stock.bytes], [1, 0, 0])
})

/** The service, for one key: it delivers in order, and repeats from the first unacknowledged one whose lease lapsed. */
test('whatever lapses and comes again, first arrivals keep the order of their key and nothing is lost', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('take' as const), count: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant('settle' as const) }),
    fc.record({ kind: fc.constant('lapse' as const), at: fc.nat(20) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const stock = inventory()
      const total = 20
      const acknowledged = new Set<number>()
      let attempt = 1
      const deliverFrom = (from: number): void => {
        const messages = Array.from({ length: total - from }, (_, index) => delivery(`${from + index}`, 'k', attempt))
        for (const ackId of stock.received(messages, 1)) acknowledged.add(Number(ackId.split('#')[0]))
        attempt += 1
      }
      const arrivals: number[] = []
      const flying: Held[] = []
      const take = (count: number): void => {
        for (const held of stock.take(count, 1_000_000)) {
          arrivals.push(Number(held.id))
          flying.push(held)
        }
      }
      const settle = (): void => {
        const held = flying.shift()
        if (held === undefined || !stock.settle(held)) return
        acknowledged.add(Number(held.id))
        stock.answered(held, 'taken', 1)
      }
      deliverFrom(0)
      for (const each of steps) {
        if (each.kind === 'take') take(each.count)
        else if (each.kind === 'settle') settle()
        else {
          const open = stock.lapsed(Number.POSITIVE_INFINITY)
          const lapsed = open[each.at % Math.max(1, open.length)]
          if (lapsed === undefined) continue
          stock.lapse([lapsed], 1)
          deliverFrom(Number(lapsed.id))
        }
      }
      while (acknowledged.size < total && (stock.waiting > 0 || flying.length > 0)) {
        take(3)
        settle()
      }
      assert.deepEqual(
        arrivals,
        Array.from({ length: total }, (_, index) => index),
      )
    }),
  )
})
