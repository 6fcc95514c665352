/** What is shipped is used by what is shipped. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import test from 'node:test'
import { type Module, modulesOf, unusedExports } from '../support/imports.ts'
import { exportsForTests } from './exceptions.ts'

const shipped = modulesOf(join(import.meta.dirname, '../..'), [
  'crds',
  'operator',
  'bridge-runtime',
  'cli',
  'docs',
]).filter(({ path }) => !path.endsWith('.test.ts'))

test('no value of production code is used by tests alone, but for those that are listed with a reason', () => {
  const known = new Set(exportsForTests.map(({ value }) => value))
  assert.deepEqual(
    unusedExports(shipped).filter((value) => !known.has(value)),
    [],
  )
})

test('an export that nothing uses would be found', () => {
  const imported = { target: 'a.ts', typeOnly: false, lazy: false }
  const module = (path: string, text: string, imports: Module['imports'] = []): Module => ({ path, text, imports })
  const a = module('a.ts', '/** Not lost. */\nexport const lost = 1\nexport const own = 2\nexport const given = own\n')
  assert.deepEqual(unusedExports([a]), ['a.ts: lost', 'a.ts: given'])
  assert.deepEqual(unusedExports([a, module('b.ts', '', [{ ...imported, names: ['given'] }])]), ['a.ts: lost'])
  assert.deepEqual(unusedExports([a, module('b.ts', '', [imported])]), [])
})
