/** One name for a thing, and the field's own: words that were given up do not come back. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import test from 'node:test'
import { modulesOf } from '../support/imports.ts'

/** Identifier → what is said instead. */
const given: Readonly<Record<string, string>> = {
  Cargo: 'WriteBatch',
  parcel: 'batch',
  lettered: 'deadLettered',
  Failing: 'ErrorTracker',
  Tracked: 'InFlightBatch',
  commitAtLast: 'commitUntilDeadline',
  lastWords: 'final-ack timeout',
  goodbye: 'close timeout',
  patience: 'timeout, grace period, linger, or a number of attempts',
  standing: 'nonTerminating, or a position state',
  Leaving: 'finalization',
  Wish: 'recommendation',
  unheard: 'without report',
  telling: 'event condition',
  stray: 'unknown field',
  bite: 'watchdog',
  haste: 'what it is: a rate, an interval',
  Stillness: 'StallDetector',
}

const shipped = modulesOf(join(import.meta.dirname, '../..'), [
  'crds',
  'operator',
  'bridge-runtime',
  'cli',
  'docs',
]).filter(({ path }) => !path.endsWith('.test.ts'))

/** A word in code and comments, alone or as the beginning of a compound name. */
const wordIn = (text: string, word: string): boolean => new RegExp(`(?<![-\\w])${word}s?(?=\\b|[A-Z])`).test(text)

test('no word that was given up is in production code', () => {
  const faults = shipped.flatMap(({ path, text }) =>
    Object.entries(given).flatMap(([word, instead]) =>
      wordIn(text, word) ? [`${path}: ${word} (say ${instead})`] : [],
    ),
  )
  assert.deepEqual(faults, [])
})

test('a word that was given up would be found, alone and in a compound', () => {
  for (const text of ['const patience = 5', 'this.#patience', 'patienceAtFirst', '/** The parcels of a key. */'])
    assert.ok(
      Object.keys(given).some((word) => wordIn(text, word)),
      text,
    )
  assert.ok(!Object.keys(given).some((word) => wordIn('outstanding bytes, understanding', word)))
})
