import assert from 'node:assert/strict'
import test from 'node:test'
import { z } from 'zod'
import { onTheWay } from '../../../crds/schema/transforms.ts'
import { keysBySecret, secretRefs } from './secret-refs.ts'

test('secret references are found by name at any depth, with their path', () => {
  const spec = { sink: { later: { list: [{ tokenSecretRef: { name: 's', key: 'k' } }] } }, note: 'SecretRef' }
  assert.deepEqual(secretRefs(spec), [{ name: 's', key: 'k', path: 'spec.sink.later.list.0.tokenSecretRef' }])
})

test('the key of a step on the way is found, so that it is mounted', () => {
  const { transforms } = z.object(onTheWay).parse({
    transforms: [
      { filter: 'true' },
      { redact: { paths: ['value.email'], method: 'Hash', keySecretRef: { name: 's', key: 'k' } } },
    ],
  })
  assert.deepEqual(secretRefs({ transforms }), [{ name: 's', key: 'k', path: 'spec.transforms.1.redact.keySecretRef' }])
})

test('a reference that is not one is passed over', () => {
  assert.deepEqual(
    secretRefs({ a: { xSecretRef: { name: 1, key: 'k' } }, b: null, c: [null], d: { ySecretRef: 's' } }),
    [],
  )
})

test('keys are listed once and in order', () => {
  const refs = [
    { name: 'b', key: 'z', path: '' },
    { name: 'b', key: 'a', path: '' },
    { name: 'a', key: 'x', path: '' },
    { name: 'b', key: 'z', path: '' },
  ]
  assert.deepEqual(
    [...keysBySecret(refs)],
    [
      ['a', ['x']],
      ['b', ['a', 'z']],
    ],
  )
})
