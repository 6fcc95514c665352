import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { isTestFile } from '../../cli/manifests.ts'
import { catalog } from '../../bridge-runtime/connectors/catalog.ts'

const root = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const guides = globSync('docs/guides/connectors/*.md', { cwd: root }).filter((path) => basename(path) !== 'README.md')
/** Applied to a real API server by the API tests. */
const examples = globSync('examples/*.yaml', { cwd: root }).filter((path) => !isTestFile(path))

test('each connector to a broker has a guide, which links to its fields', () => {
  const brokers = Object.keys(catalog).filter((name) => !['generator', 'console', 'file'].includes(name))
  const linked = guides.map((path) => /reference\/connectors\/(\w+)\.md/.exec(read(path))?.[1] ?? path)
  assert.deepEqual(linked.toSorted(), brokers.toSorted())
})

for (const guide of guides)
  test(`${guide} shows examples as they are applied by a test`, () => {
    const shown = [...read(guide).matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text)
    assert.ok(shown.length > 0)
    for (const text of shown) assert.ok(examples.some((path) => read(path) === text))
  })
