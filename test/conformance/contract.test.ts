import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { appendRules, sinkRules, sourceRules, stageRules } from './rules.ts'

test('CONTRACT.md has every rule that is tested, in the same words, and no other', () => {
  const text = readFileSync(join(import.meta.dirname, '../../bridge-runtime/connectors/CONTRACT.md'), 'utf8')
  const written = [...text.matchAll(/^- \*\*([SKAT][0-9]+)\*\* (?:MUST|SHOULD): (.*)\.$/gm)]
  assert.deepEqual(Object.fromEntries(written.map(([, rule, promise]) => [rule, promise])), {
    ...sourceRules,
    ...sinkRules,
    ...appendRules,
    ...stageRules,
  })
})
