import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BridgeError } from '../../core/errors.ts'
import { type WriteOutcome, writing } from './write-outcome.ts'

const failure = new BridgeError('refused', { kind: 'poison', reason: 'RecordTooLarge' })

function begun(count: number) {
  const stopping = new AbortController()
  const stored: number[][] = []
  let outcome: WriteOutcome | undefined
  const result = writing(
    { count, signal: stopping.signal, stored: (indexes) => stored.push([...indexes]) },
    (given) => (outcome = given),
  )
  assert.ok(outcome !== undefined)
  return { stopping, stored, outcome, result }
}

test('what is stored early is told together, what is stored last the result tells', async () => {
  const { stored, outcome, result } = begun(4)
  outcome.settle(2, undefined)
  outcome.settle(0, undefined)
  await Promise.resolve()
  outcome.settle(1, failure)
  outcome.settle(3, undefined)
  assert.deepEqual([...(await result)], [[1, failure]])
  assert.deepEqual(stored, [[2, 0]])
})

test('a write that is given up fails what is open, and takes no later word for it', async () => {
  const { stopping, outcome, result } = begun(3)
  outcome.settle(1, undefined)
  stopping.abort()
  assert.equal(outcome.isOpen(0), false)
  outcome.settle(0, undefined)
  const failures = [...(await result)].map(([index, { reason }]) => [index, reason])
  assert.deepEqual(failures, [
    [0, 'Aborted'],
    [2, 'Aborted'],
  ])
})

test('a write that was given up before it began sends nothing', async () => {
  const send = (): void => assert.fail('sent')
  const result = await writing({ count: 2, signal: AbortSignal.abort(), stored: undefined }, send)
  assert.equal(result.size, 2)
})
