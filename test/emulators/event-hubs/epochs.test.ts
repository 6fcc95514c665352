import assert from 'node:assert/strict'
import { test } from 'node:test'
import { admit, readerLimit } from './epochs.ts'

const reader = (name: string, epoch?: number) => ({ reader: name, epoch })

test('a higher or equal epoch displaces the owner', () => {
  const owner = reader('a', 3)
  for (const epoch of [3, 4])
    assert.deepEqual(admit([owner], reader('b', epoch)), { kind: 'admitted', displaced: [owner] })
})

test('a lower epoch is refused as stolen', () => {
  const decided = admit([reader('a', 3)], reader('b', 2))
  assert.equal(decided.kind === 'refused' && decided.condition, 'amqp:link:stolen')
})

test('epoch 0 is an epoch', () => {
  const shared = [reader('a'), reader('b')]
  assert.deepEqual(admit(shared, reader('c', 0)), { kind: 'admitted', displaced: shared })
  assert.equal(admit([reader('c', 0)], reader('d')).kind, 'refused')
})

test('readers without an epoch share a partition, up to the limit', () => {
  const shared = Array.from({ length: readerLimit }, (_, index) => reader(`r${index}`))
  assert.deepEqual(admit(shared.slice(1), reader('x')), { kind: 'admitted', displaced: [] })
  const decided = admit(shared, reader('x'))
  assert.equal(decided.kind === 'refused' && decided.condition, 'amqp:resource-limit-exceeded')
})
