import assert from 'node:assert/strict'
import test from 'node:test'
import { canonicalQuantity, quantityValue } from './quantity.ts'

test('a quantity has one value, however it is written', () => {
  assert.equal(quantityValue('1000m'), quantityValue('1'))
  assert.equal(quantityValue('1Gi'), quantityValue('1024Mi'))
  assert.equal(quantityValue('0.5'), 0.5)
  assert.equal(quantityValue('half'), undefined)
})

test('a quantity is written back with the largest unit that leaves a whole number', () => {
  assert.deepEqual(['1000m', '1500m', '2048Mi', '1536Mi', '0', 'half'].map(canonicalQuantity), [
    '1',
    '1500m',
    '2Gi',
    '1536Mi',
    '0',
    'half',
  ])
})
