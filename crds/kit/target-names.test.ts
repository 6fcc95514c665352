import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeTargets, targetOf } from './target-names.ts'

test('a target has the name of its source, with what is set around it', () => {
  assert.equal(targetOf({ sameName: {} }, 'orders'), 'orders')
  assert.equal(targetOf({ sameName: { prefix: 'eu.', suffix: '.v2' } }, 'orders'), 'eu.orders.v2')
  assert.equal(describeTargets({ sameName: { prefix: 'eu.', suffix: '.v2' } }), 'eu.*.v2')
})

test('a source that is renamed has that name, and nothing around it', () => {
  const names = { sameName: { prefix: 'eu.', rename: { orders: 'bestellungen' } } }
  assert.equal(targetOf(names, 'orders'), 'bestellungen')
  assert.equal(targetOf(names, 'toString'), 'eu.toString')
})
