import assert from 'node:assert/strict'
import test from 'node:test'
import { holds, marked } from './apply-needed.ts'

test('defaults that the API server adds are no difference', () => {
  assert.ok(holds({ a: 1, list: [{ name: 'x', mode: 420 }], more: true }, { a: 1, list: [{ name: 'x' }] }))
})

test('a changed value, a missing one and another length of a list are differences', () => {
  assert.ok(!holds({ a: 1 }, { a: 2 }))
  assert.ok(!holds({}, { a: { b: 1 } }))
  assert.ok(!holds({ list: [1, 2] }, { list: [1] }))
})

test('a quantity is the same in any spelling, and what is empty may be absent', () => {
  assert.ok(holds({ cpu: '1', memory: '1Gi' }, { cpu: '1000m', memory: '1024Mi', labels: {}, tolerations: [] }))
  assert.ok(!holds({ cpu: '1' }, { cpu: '1001m' }))
})

test('an object that loses a field is marked differently', () => {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', labels: { a: '1', b: '2' } } }
  const fewer = { ...object, metadata: { name: 'x', labels: { a: '1' } } }
  assert.ok(!holds(marked(object), marked(fewer)))
  assert.ok(holds(marked(object), marked(structuredClone(object))))
})
