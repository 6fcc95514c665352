import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { manifests } from '../test/api/manifests.ts'
import { rootSchema } from './generate/crd.ts'
import type { JsonSchema } from './generate/json-schema.ts'
import { isObject } from './manifest-shape.ts'
import { validateManifest } from './validate.ts'

const manifest = (spec: object, more: object = {}): object => ({
  apiVersion: 'streambridge.dev/v1alpha1',
  kind: 'StreamBridge',
  metadata: { name: 'orders' },
  spec: { source: { generator: {} }, sink: { console: {} }, ...spec },
  ...more,
})

const errorsOf = (object: unknown): readonly string[] =>
  validateManifest(object)
    .filter(({ severity }) => severity === 'error')
    .map(({ path, message }) => `${path}: ${message}`)

const warningsOf = (object: unknown): readonly string[] =>
  validateManifest(object)
    .filter(({ severity }) => severity === 'warning')
    .map(({ path }) => path)

suite('validateManifest', () => {
  // The same files go to a real API server in test/api.
  for (const { name, object, expected } of manifests('invalid')) {
    test(`refuses ${name} in the API server’s words`, () => {
      assert.deepEqual(errorsOf(object), expected)
    })
  }

  for (const { name, object } of manifests('valid')) {
    test(`takes ${name}`, () => {
      assert.deepEqual(errorsOf(object), [])
    })
  }

  test('refuses what is no object, another kind, and another version', () => {
    assert.match(errorsOf(null)[0] ?? '', /a manifest is an object/)
    assert.match(errorsOf([])[0] ?? '', /a manifest is an object/)
    assert.deepEqual(errorsOf(manifest({}, { kind: 'StreamBrige' })), [
      'kind: no matches for kind "StreamBrige" in version "streambridge.dev/v1alpha1"',
    ])
    assert.deepEqual(errorsOf(manifest({}, { apiVersion: undefined })), [
      'kind: no matches for kind "StreamBridge" in version ""',
    ])
  })

  test('refuses a manifest without a name', () => {
    assert.deepEqual(errorsOf(manifest({}, { metadata: {} })), [
      'metadata.name: Required value: name or generateName is required',
    ])
  })

  test('refuses a map with too many keys', () => {
    const labels = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`label-${index}`, 'x']))
    assert.deepEqual(errorsOf(manifest({ template: { labels } })), [
      'spec.template.labels: Too many: 51: must have at most 50 items',
    ])
  })

  test('reports every fault of a manifest, not only the first', () => {
    const faults = errorsOf(manifest({ replicas: -1, serviceAccountName: 'A', delivery: { drainTimeout: 'soon' } }))
    assert.equal(faults.length, 3)
  })

  test('reports an unknown field that is named like something every object has', () => {
    assert.deepEqual(errorsOf(manifest({ constructor: 1, toString: 2 })), [
      'spec.constructor: unknown field',
      'spec.toString: unknown field',
    ])
  })

  test('leaves alone what Kubernetes itself checks', () => {
    assert.deepEqual(errorsOf(manifest({ template: { affinity: { nodeAffinity: { anything: null } } } })), [])
  })

  test('warns of nulls and of a status, which the API server ignores', () => {
    assert.deepEqual(warningsOf(manifest({ delivery: null }, { status: {} })), ['spec.delivery', 'status'])
  })

  test('survives odd values everywhere', () => {
    for (const odd of [null, 0, -1, 1e300, Number.NaN, '', 'x'.repeat(10_000), '\u0000💥', [], [null], {}, true]) {
      for (const field of ['source', 'sink', 'delivery', 'scaling', 'replicas', 'template', 'image'])
        assert.doesNotThrow(() => validateManifest(manifest({ [field]: odd })))
      assert.doesNotThrow(() =>
        validateManifest(manifest({ source: { kafka: { bootstrapServers: odd, topics: odd } } })),
      )
      assert.doesNotThrow(() => validateManifest(manifest({}, { metadata: odd })))
    }
  })

  test('every field of the API occurs in a valid manifest', () => {
    const spec = rootSchema().properties?.['spec'] ?? {}
    const used = new Set(manifests('valid').flatMap(({ object }) => fieldsUsed(object['spec'], 'spec')))
    // The members of the dead-letter sink are those of the sink.
    const missing = fieldsOf(spec, 'spec').filter(
      (path) => !path.startsWith('spec.delivery.deadLetter.') && !used.has(path),
    )
    assert.deepEqual(missing, [])
  })

  test('warns of a dead-letter sink that takes less than the source may hold', () => {
    const source = { pubsub: { projectID: 'project', subscription: 'orders' } }
    const sink = { bootstrapServers: ['kafka:9092'], topic: 'dead' }
    const lettersTo = (kafka: object): object =>
      manifest({ source, delivery: { onFailure: 'DeadLetter', deadLetter: { kafka } } })
    const small = lettersTo({ ...sink, maxRequestBytes: '1Mi' })
    assert.deepEqual([errorsOf(small), warningsOf(small)], [[], ['spec.delivery.deadLetter.kafka']])
    // Without the field the topic decides, which is asked at the start.
    assert.deepEqual(warningsOf(lettersTo(sink)), [])
    assert.deepEqual(warningsOf(lettersTo({ ...sink, maxRequestBytes: '12Mi' })), [])
  })
})

function fieldsOf(schema: JsonSchema, at: string): readonly string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => [
    `${at}.${name}`,
    ...fieldsOf(property, `${at}.${name}`),
  ])
}

function fieldsUsed(value: unknown, at: string): readonly string[] {
  if (!isObject(value)) return [at]
  return [at, ...Object.entries(value).flatMap(([name, each]) => fieldsUsed(each, `${at}.${name}`))]
}
