import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { BridgeError } from './errors.ts'

const thrown = (): Error =>
  Object.assign(new TypeError('refused: canary', { cause: new AggregateError([new Error('canary')], 'canary') }), {
    code: 'ECONNREFUSED',
    input: 'canary',
    response: { headers: { authorization: 'canary' } },
  })

test('the cause of an error keeps its name, codes and frames, and no text', () => {
  const error = new BridgeError('writing to orders', { kind: 'retryable', reason: 'Unknown', cause: thrown() })
  assert.ok(!inspect(error, { depth: 9 }).includes('canary'))
  const cause = error.cause as Error & { readonly code?: string }
  assert.deepEqual([cause.name, cause.code, cause.message], ['TypeError', 'ECONNREFUSED', ''])
  assert.match(cause.stack ?? '', /at thrown .*withheld\.test\.ts/)
  assert.equal((cause.cause as AggregateError).errors.length, 1)
})

test('a cause that is one of our own errors is kept as it is', () => {
  const inner = new BridgeError('Secret "a" has no key "b"', { kind: 'fatal', reason: 'SecretKeyNotFound' })
  assert.equal(new BridgeError('opening', { kind: 'fatal', reason: 'SecretKeyNotFound', cause: inner }).cause, inner)
})

test('a cause that is no error is kept by its codes, a text not at all', () => {
  const of = (cause: unknown) => new BridgeError('', { kind: 'retryable', reason: 'Unknown', cause }).cause
  assert.equal(of('canary'), undefined)
  assert.equal((of({ code: 16, details: 'canary' }) as { readonly code?: number }).code, 16)
})
