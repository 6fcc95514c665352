import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { suite, test } from 'node:test'
import { formats } from '../../bridge-runtime/formats/catalog.ts'
import { steps } from '../../bridge-runtime/steps/catalog.ts'
import { judge } from '../../cli/transforming/judge.ts'
import { localPipeline } from '../../cli/transforming/local-pipeline.ts'
import { apiVersion, kind } from '../../crds/schema/streambridge.ts'
import { readExample } from './example.ts'

const folder = join(import.meta.dirname, 'examples')
const filesOf = (name: string): string[] => globSync(`${name}/*.yaml`, { cwd: folder })

test('every step and every format has an example on its page', () => {
  const names = (kind: string): string[] =>
    filesOf(kind)
      .map((file) => basename(file, '.yaml'))
      .toSorted()
  assert.deepEqual(names('steps'), Object.keys(steps).toSorted())
  assert.deepEqual(names('formats'), Object.keys(formats).toSorted())
})

suite('what a page shows is what happens', () => {
  for (const file of [...filesOf('steps'), ...filesOf('formats')])
    test(file, async () => {
      const { spec, tests } = readExample(readFileSync(join(folder, file), 'utf8'), file)
      const object = {
        apiVersion,
        kind,
        metadata: { name: 'example' },
        spec: { source: { generator: {} }, sink: { console: {} }, ...spec },
      }
      const pipeline = localPipeline({ file, document: 1, object }, '')
      assert.ok(pipeline !== undefined)
      for (const example of tests) assert.deepEqual(await judge(pipeline, example), [], example.name)
    })
})
