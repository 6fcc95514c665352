import { canonicalJson } from '../../kube/format/canonical.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { applyFields, type JsonObject, type Owned, pathsOf, updateFields } from './field-ownership.ts'

const nothing: Owned = { object: {}, owners: new Map() }

test('a field that its manager stops applying vanishes', () => {
  const first = applyFields(nothing, 'a', { metadata: { labels: { x: '1', y: '2' } } })
  const second = applyFields(first, 'a', { metadata: { labels: { x: '1' } } })
  assert.deepEqual(second.object, { metadata: { labels: { x: '1' } } })
})

test('the last label of a manager takes the empty map with it', () => {
  const first = applyFields(nothing, 'a', { data: { k: 'v' }, metadata: { labels: { x: '1' } } })
  assert.deepEqual(applyFields(first, 'a', { data: { k: 'v' } }).object, { data: { k: 'v' } })
})

test("another manager's field stays when mine goes", () => {
  const mine = applyFields(nothing, 'a', { metadata: { labels: { x: '1' } } })
  const both = applyFields(mine, 'b', { metadata: { labels: { y: '2' } } })
  assert.deepEqual(applyFields(both, 'a', {}).object, { metadata: { labels: { y: '2' } } })
})

test('a value that two managers applied stays until both drop it', () => {
  const both = applyFields(applyFields(nothing, 'a', { spec: { replicas: 3 } }), 'b', { spec: { replicas: 3 } })
  const one = applyFields(both, 'a', {})
  assert.deepEqual(one.object, { spec: { replicas: 3 } })
  assert.deepEqual(applyFields(one, 'b', {}).object, {})
})

test('an apply takes a field over from the manager that had it', () => {
  const first = applyFields(nothing, 'a', { spec: { replicas: 3 } })
  const second = applyFields(first, 'b', { spec: { replicas: 5 } })
  assert.deepEqual(second.object, { spec: { replicas: 5 } })
  assert.deepEqual(applyFields(second, 'a', {}).object, { spec: { replicas: 5 } })
})

test('an update owns what it changed, so the applier no longer removes it', () => {
  const first = applyFields(nothing, 'a', { spec: { replicas: 1, paused: false } })
  const scaled = updateFields(first, 'scaler', { spec: { replicas: 4, paused: false } })
  assert.deepEqual(applyFields(scaled, 'a', { spec: { paused: false } }).object, {
    spec: { replicas: 4, paused: false },
  })
})

test('an element of a keyed list goes, and its neighbours stay', () => {
  const container = (...env: string[]): JsonObject => ({
    spec: { containers: [{ name: 'bridge', env: env.map((name) => ({ name, value: name })) }] },
  })
  const first = applyFields(nothing, 'a', container('A', 'B'))
  const injected = updateFields(first, 'injector', container('A', 'B', 'C'))
  assert.deepEqual(applyFields(injected, 'a', container('A')).object, container('A', 'C'))
})

test('a volume that changes its kind has only the new one', () => {
  const first = applyFields(nothing, 'a', { volumes: [{ name: 'v', emptyDir: {} }] })
  const second = applyFields(first, 'a', { volumes: [{ name: 'v', secret: { secretName: 's' } }] })
  assert.deepEqual(second.object, { volumes: [{ name: 'v', secret: { secretName: 's' } }] })
})

test('a list without a key is one value', () => {
  const first = applyFields(nothing, 'a', { spec: { args: ['a', 'b'] } })
  assert.deepEqual(applyFields(first, 'a', { spec: { args: ['c'] } }).object, { spec: { args: ['c'] } })
})

const document: fc.Arbitrary<JsonObject> = fc.letrec((tie) => ({
  leaf: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom('x', 'y'), fc.array(fc.integer(), { maxLength: 2 })),
  containers: fc.uniqueArray(fc.record({ name: fc.constantFrom('p', 'q'), image: fc.constantFrom('1', '2') }), {
    selector: ({ name }) => name,
    minLength: 1,
  }),
  object: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof({ maxDepth: 2 }, tie('leaf'), tie('object')), {
    minKeys: 1,
    maxKeys: 3,
  }),
  document: fc.record({ spec: tie('object'), containers: tie('containers') }, { requiredKeys: [] }),
})).document as fc.Arbitrary<JsonObject>

test('one manager alone gets exactly what it applied last', () => {
  fc.assert(
    fc.property(fc.array(document, { minLength: 1, maxLength: 5 }), (documents) => {
      const last = documents.reduce((state, document) => applyFields(state, 'a', document), nothing)
      assert.equal(canonicalJson(last.object), canonicalJson(documents.at(-1)))
    }),
  )
})

test('applying the same again changes nothing, whatever another manager did before', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'b'), document), { minLength: 1, maxLength: 6 }), (steps) => {
      const state = steps.reduce((before, [manager, document]) => applyFields(before, manager, document), nothing)
      const [manager, document] = steps.at(-1) ?? ['a', {}]
      const again = applyFields(state, manager, document)
      assert.equal(canonicalJson(again.object), canonicalJson(state.object))
      for (const paths of state.owners.values())
        for (const path of paths) assert.ok(pathsOf(state.object).has(path), path)
    }),
  )
})
