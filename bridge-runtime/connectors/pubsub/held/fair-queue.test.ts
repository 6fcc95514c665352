import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FairQueue } from './fair-queue.ts'

interface Item {
  readonly key: string
  readonly number: number
  readonly bytes: number
}

function queueOf(items: readonly Item[]): FairQueue<Item> {
  const queue = new FairQueue<Item>()
  for (const item of items) queue.add(item)
  return queue
}

const items = (key: string, count: number, bytes = 0): Item[] =>
  Array.from({ length: count }, (_, number) => ({ key, number, bytes }))
const names = (taken: readonly Item[]): string => taken.map(({ key, number }) => `${key}${number}`).join(' ')

function take(queue: FairQueue<Item>, count: number): Item[] {
  const taken: Item[] = []
  for (
    let item = queue.next(() => taken.length < count);
    item !== undefined;
    item = queue.next(() => taken.length < count)
  )
    taken.push(item)
  return taken
}

test('a key with a thousand items does not hold up one that came behind it', () => {
  const queue = queueOf([...items('hot', 1_000), ...items('cold', 2)])
  assert.equal(names(take(queue, 12)), 'hot0 hot1 hot2 hot3 hot4 hot5 hot6 hot7 cold0 cold1 hot8 hot9')
  assert.equal(queue.size, 990)
})

test('a turn that was broken off goes on where it was', () => {
  const queue = queueOf([...items('a', 10), ...items('b', 10)])
  assert.equal(names(take(queue, 3)), 'a0 a1 a2')
  assert.equal(names(take(queue, 6)), 'a3 a4 a5 a6 a7 b0')
})

test('a key rests while much of it is on its way, and goes on when half of that is settled', () => {
  const queue = queueOf([...items('hot', 200, 1_024), ...items('cold', 2, 1_024)])
  const taken = take(queue, 1_000)
  assert.equal(taken.filter(({ key }) => key === 'hot').length, 64)
  assert.equal(taken.filter(({ key }) => key === 'cold').length, 2)
  assert.deepEqual([queue.ready, queue.size], [false, 136])
  const hot = taken.filter(({ key }) => key === 'hot')
  for (const item of hot.slice(0, 32)) queue.settled(item)
  assert.deepEqual(take(queue, 1_000), [])
  for (const item of hot.slice(32, 33)) queue.settled(item)
  queue.add({ key: 'cold', number: 2, bytes: 1_024 })
  assert.equal(names(take(queue, 10)), 'hot64 hot65 hot66 hot67 hot68 hot69 hot70 hot71 cold2 hot72')
})

test('items without a key have no order to wait for, and few bytes are not much: neither rests', () => {
  assert.equal(take(queueOf(items('', 500, 10_000)), 1_000).length, 500)
  assert.equal(take(queueOf(items('a', 500, 100)), 1_000).length, 500)
})

test('an item that is not wanted stays the next one', () => {
  const queue = queueOf(items('a', 2))
  assert.equal(
    queue.next(() => false),
    undefined,
  )
  assert.equal(names(take(queue, 5)), 'a0 a1')
})

test('what is taken out is gone, and the rest keeps its order', () => {
  const queue = queueOf([...items('a', 4), ...items('b', 2), ...items('c', 1)])
  assert.equal(names(queue.remove(({ key, number }) => key === 'c' || number === 1)), 'a1 b1 c0')
  assert.equal(queue.size, 4)
  assert.equal(names(take(queue, 9)), 'a0 a2 a3 b0')
})

test('whatever is added, taken out, taken and settled: each item comes out once, those of a key in their order', () => {
  const step = fc.oneof(
    fc.record({ what: fc.constant('add' as const), key: fc.constantFrom('', 'a', 'b', 'c'), times: fc.nat(100) }),
    fc.record({ what: fc.constant('take' as const), count: fc.nat(100) }),
    fc.record({ what: fc.constant('settle' as const), count: fc.nat(50) }),
    fc.record({ what: fc.constant('remove' as const), every: fc.integer({ min: 2, max: 5 }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const queue = new FairQueue<Item>()
      const out: Item[] = []
      let settled = 0
      const settle = (count: number): void => {
        for (const item of out.slice(settled, settled + count)) queue.settled(item)
        settled = Math.min(out.length, settled + count)
      }
      const removed: Item[] = []
      let added = 0
      for (const each of steps)
        if (each.what === 'add')
          for (let times = 0; times < each.times; times += 1)
            queue.add({ key: each.key, number: added++, bytes: 2_000 })
        else if (each.what === 'take') out.push(...take(queue, each.count))
        else if (each.what === 'settle') settle(each.count)
        else removed.push(...queue.remove(({ number }) => number % each.every === 0))
      while (queue.size > 0) {
        settle(added)
        assert.ok(queue.ready, 'nothing is on its way, so nothing rests')
        out.push(...take(queue, added))
      }
      const numbers = [...out, ...removed].map(({ number }) => number).sort((a, b) => a - b)
      assert.deepEqual(numbers, [...numbers.keys()])
      for (const key of ['', 'a', 'b', 'c']) {
        const ofKey = out.filter((item) => item.key === key).map(({ number }) => number)
        assert.deepEqual(
          ofKey,
          ofKey.toSorted((a, b) => a - b),
        )
      }
    }),
  )
})
