import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gapAdvice } from './advice.ts'

const runtime = join(import.meta.dirname, '..')

test('what a person can decide about a gap is worded in one place, whatever the source', () => {
  const wording = /spec\.delivery\.onDataGap: Continue|spec\.lifecycle\.reset\.token/
  const files = globSync('**/*.ts', { cwd: runtime }).filter((file) => !file.endsWith('.test.ts'))
  const elsewhere = files.filter((file) => wording.test(readFileSync(join(runtime, file), 'utf8')))
  assert.deepEqual(elsewhere, ['history/advice.ts'])
})

test('a source that begins nowhere but at its own position promises no start position', () => {
  assert.match(gapAdvice(), /while the bridge is Paused to begin at startPosition$/)
  assert.match(gapAdvice({ from: 'with the rest', anew: '' }), /Continue to go on with the rest, .* is Paused$/)
})
