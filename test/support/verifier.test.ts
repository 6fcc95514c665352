import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertWhole, duplicateBound, tallyLine } from './tally.ts'
import { testRun } from './verifier.ts'

test('records that arrive once and in order are whole', () => {
  const run = testRun({ run: 'a', keys: 5 })
  for (const { key, value } of run.take(1000)) run.arrived(key, value)
  assert.equal(tallyLine(run.tally()), 'moved 1000, lost 0, duplicated 0, reordered 0, corrupt 0')
  assertWhole(run.tally(), 0)
})

test('a record that never arrives is lost', () => {
  const run = testRun({ run: 'a', keys: 1 })
  const records = run.take(100)
  for (const { key, value } of records.toSpliced(42, 1)) run.arrived(key, value)
  assert.equal(run.tally().lost, 1)
  assert.throws(() => assertWhole(run.tally(), 0), /lost 1.*\n {2}lost: key-0#42/s)
})

test('the newest records can be lost too', () => {
  const run = testRun({ run: 'a', keys: 3 })
  for (const { key, value } of run.take(100).slice(0, -7)) run.arrived(key, value)
  assert.equal(run.tally().lost, 7)
})

test('a record that first arrives behind a later one of its key is reordered', () => {
  const run = testRun({ run: 'a', keys: 1 })
  const records = run.take(10)
  const [third] = records.splice(3, 1)
  for (const { key, value } of third ? records.toSpliced(8, 0, third) : []) run.arrived(key, value)
  assert.deepEqual(pick(run.tally()), { lost: 0, duplicated: 0, reordered: 1, regressions: 1 })
  assert.throws(() => assertWhole(run.tally(), 0), /reordered: key-0#3 came after key-0#8/)
})

test('other keys may overtake', () => {
  const run = testRun({ run: 'a', keys: 2 })
  const records = run.take(100).sort((a, b) => a.key.localeCompare(b.key) || a.sequence - b.sequence)
  for (const { key, value } of records) run.arrived(key, value)
  assertWhole(run.tally(), 0)
})

test('a repetition is a duplicate and a regression but no reordering', () => {
  const run = testRun({ run: 'a', keys: 1 })
  const records = run.take(10)
  for (const { key, value } of [...records.slice(0, 8), ...records.slice(5)]) run.arrived(key, value)
  assert.deepEqual(pick(run.tally()), { lost: 0, duplicated: 3, reordered: 0, regressions: 1 })
  assertWhole(run.tally(), 3)
  assert.throws(() => assertWhole(run.tally(), 2), /duplicated 3 \(bound 2\)/)
})

test('one changed byte is corrupt, wherever it is', () => {
  const run = testRun({ run: 'a', keys: 1, bytes: 60 })
  const { key, value } = run.next()
  for (let at = 'a key-0 '.length; at < value.length; at++) {
    const changed = Buffer.from(value)
    changed[at] = (changed[at] ?? 0) ^ 1
    run.arrived(key, changed)
  }
  assert.equal(run.tally().corrupt, value.length - 'a key-0 '.length)
})

test('a value under another key, no value, and a record nobody sent are corrupt', () => {
  const run = testRun({ run: 'a', keys: 1 })
  const { value } = run.next()
  run.arrived('key-7', value)
  run.arrived('key-0', null)
  const stranger = testRun({ run: 'a', keys: 1 })
  for (const record of stranger.take(3)) run.arrived(record.key, record.value)
  assert.deepEqual({ corrupt: run.tally().corrupt, lost: run.tally().lost }, { corrupt: 4, lost: 0 })
})

test('records of another run are not looked at', () => {
  const run = testRun({ run: 'a', keys: 1 })
  const other = testRun({ run: 'b', keys: 1 })
  for (const { key, value } of [...run.take(5), ...other.take(5)]) run.arrived(key, value)
  assertWhole(run.tally(), 0)
})

test('a kill may repeat one commit interval and what was in flight', () => {
  assert.equal(duplicateBound({ kills: 2, recordsPerSecond: 1000, commitInterval: 500, inFlight: 20 }), 1040)
})

const pick = ({ lost, duplicated, reordered, regressions }: ReturnType<ReturnType<typeof testRun>['tally']>) => ({
  lost,
  duplicated,
  reordered,
  regressions,
})
