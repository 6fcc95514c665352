import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { suite, test } from 'node:test'
import { Ajv } from 'ajv'
import { parseAllDocuments } from 'yaml'
import { manifests } from '../../test/api/manifests.ts'
import { editorSchema } from './editor-schema.ts'

const root = join(import.meta.dirname, '../..')
const published = 'docs/reference/streambridge.schema.json'
const check = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(editorSchema())
const faults = (object: unknown): readonly string[] =>
  check(object) ? [] : (check.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)

suite('the schema for editors', () => {
  // A null is a field that is absent to the API server, and a fault to an editor.
  for (const { name, object } of manifests('valid').filter((one) => one.name !== 'nulls-are-absent'))
    test(`takes what the API server takes: ${name}`, () => assert.deepEqual(faults(object), []))

  test('marks a misspelt step, two steps in one, and a wrong type', () => {
    const bridge = (transforms: unknown) => ({
      apiVersion: 'streambridge.dev/v1alpha1',
      kind: 'StreamBridge',
      metadata: { name: 'a' },
      spec: { source: { generator: {} }, sink: { console: {} }, transforms },
    })
    assert.deepEqual(faults(bridge([{ filter: 'true' }])), [])
    for (const wrong of [[{ filtr: 'true' }], [{ filter: 'true', rekey: 'key' }], [{ filter: 5 }], [{}]])
      assert.ok(faults(bridge(wrong)).length > 0, JSON.stringify(wrong))
  })
})

suite('every example names the schema, so that an editor helps', () => {
  for (const file of globSync('examples/**/*.yaml', { cwd: root }).filter((name) => !name.endsWith('.test.yaml')))
    test(file, () => {
      const text = readFileSync(join(root, file), 'utf8')
      const [, path = ''] = /^# yaml-language-server: \$schema=(.*)$/m.exec(text) ?? []
      assert.equal(relative(root, join(root, dirname(file), path)), published)
      for (const document of parseAllDocuments(text)) assert.deepEqual(faults(document.toJS()), [])
    })
})
