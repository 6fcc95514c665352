import assert from 'node:assert/strict'
import { test } from 'node:test'
import { choose, sortFiles } from './suites.ts'

const files = ['crds/x.test.ts', 'test/api/a.test.ts', 'test/integration/kafka/b.test.ts', 'test/e2e/e.test.ts']
const shown = (sorted: ReturnType<typeof choose>): unknown => sorted.map(({ suite, files }) => [suite.name, ...files])

test('every file runs in one suite, and end-to-end tests in none', () => {
  assert.deepEqual(shown(choose(sortFiles(files), [])), [
    ['unit', 'crds/x.test.ts'],
    ['api', 'test/api/a.test.ts'],
    ['kafka', 'test/integration/kafka/b.test.ts'],
  ])
})

test('a file that no suite would run is an error', () => {
  assert.throws(
    () => sortFiles(['test/integration/lost/x.test.ts']),
    /no suite runs test\/integration\/lost\/x.test.ts/,
  )
})

test('suites and files can be chosen by name', () => {
  assert.deepEqual(shown(choose(sortFiles(files), ['unit', 'test/integration/kafka/b.test.ts'])), [
    ['unit', 'crds/x.test.ts'],
    ['kafka', 'test/integration/kafka/b.test.ts'],
  ])
})

test('a name that chooses nothing is an error that says what there is', () => {
  assert.throws(() => choose(sortFiles(files), ['kafak']), /no suite and no test file "kafak"; suites: unit, /)
})
