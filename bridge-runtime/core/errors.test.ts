import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runtimeReasons } from '../../crds/kit/reasons.ts'
import { asBridgeError, BridgeError } from './errors.ts'

test('a reason that is not listed, and so not explained, does not compile', () => {
  // @ts-expect-error: this line fails the check of types once any text is taken
  const error = new BridgeError('new', { kind: 'fatal', reason: 'NobodyHasListedThis' })
  assert.equal(error.reason, 'NobodyHasListedThis')
})

test('what a connector may say of itself can be said to a person: a sentence and a next step for every reason', () => {
  const bare = Object.values(runtimeReasons).flatMap((list) =>
    Object.entries(list).filter(([, { meaning, advice }]) => !/^[A-Z].*\.$/.test(meaning) || !advice.endsWith('.')),
  )
  assert.deepEqual(bare, [])
})

test('what nobody has translated may pass', () => {
  const { kind, reason, message } = asBridgeError(new TypeError('x is not a function'))
  assert.deepEqual({ kind, reason, message }, { kind: 'retryable', reason: 'Unknown', message: 'x is not a function' })
})
