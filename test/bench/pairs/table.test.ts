import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Measured } from './measure.ts'
import { below, broken, line, median } from './table.ts'

const measured = (recordsPerSecond: number, lost = 0): Measured => ({
  recordsPerSecond,
  recordsPerCpuSecond: recordsPerSecond * 2,
  peakMegabytes: 100 + recordsPerSecond,
  tally: {
    sent: 10,
    received: 10 - lost,
    lost,
    duplicated: 0,
    reordered: 0,
    corrupt: 0,
    regressions: 0,
    samples: [],
  },
})

test('the median of an even number of rounds lies between the two in the middle', () => {
  assert.deepEqual([median([3]), median([9, 1]), median([1, 9, 2])], [3, 5, 2])
})

test('a row shows the medians, their ratio and the largest peak of memory', () => {
  const row = { pair: 'A → B', ours: [measured(9), measured(2), measured(3)], naive: [measured(2)] }
  assert.match(line(row), /^A → B +3 +2 +1\.50 +6 +4 +1\.50 +109\/102 +0\/0 +0\/0$/)
  assert.deepEqual([below(row), broken(row)], [[], []])
})

test('a slower row and a lost record are said', () => {
  const row = { pair: 'A → B', ours: [measured(1, 2)], naive: [measured(2)] }
  assert.deepEqual(below(row), [
    'A → B: 0.50 times the records/s of the naive loop',
    'A → B: 0.50 times the records per CPU-second of the naive loop',
  ])
  assert.deepEqual(broken(row), ['A → B: 2 records lost'])
})
