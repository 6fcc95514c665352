import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Faults } from './faults.ts'

const send = { on: 'send', do: 'reject' } as const

test('a fault happens at the n-th operation in its scope, as often as ordered', () => {
  const faults = new Faults(() => 0)
  faults.add({ ...send, hub: 'Orders', partition: '1', nth: 2, count: 2 })
  const struck = (partition: string): boolean => faults.next('send', { hub: 'orders', partition }) !== undefined
  assert.deepEqual(['0', '1', '0', '1', '1', '1'].map(struck), [false, false, false, true, true, false])
  assert.equal(faults.next('deliver', { hub: 'orders', partition: '1' }), undefined)
  assert.equal(faults.list()[0]?.happened, 2)
})

test('a fault with a probability happens that often, until it is cleared', () => {
  const dice = [0.1, 0.9, 0.4]
  const faults = new Faults(() => dice.shift() ?? 1)
  const { id } = faults.add({ ...send, probability: 0.5, count: 0 })
  assert.deepEqual(
    [1, 2, 3].map(() => faults.next('send', {}) !== undefined),
    [true, false, true],
  )
  faults.clear(id)
  assert.deepEqual(faults.list(), [])
})

test('a fault that cannot happen there is refused with what can', () => {
  assert.throws(() => new Faults(() => 0).add({ on: 'cbs', do: 'stall' }), /not possible on .*cbs.*possible: .*silence/)
})
