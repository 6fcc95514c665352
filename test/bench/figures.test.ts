import assert from 'node:assert/strict'
import { test } from 'node:test'
import { losses, shortfalls } from './bar.ts'
import { type Arrival, latencyOf } from './latency.ts'
import type { Figures } from './pair.ts'
import { table } from './report.ts'

const figures = (recordsPerSecond: number, peakBytes: number): Figures => ({
  contender: 'One',
  copy: { startSeconds: 1, startCpuSeconds: 1, recordsPerSecond, recordsPerCpuSecond: 1, surplus: 0 },
  latency: { rate: 10_000, p50: 2, p99: 3, max: 4, lost: 0, duplicated: 0 },
  peakBytes,
})
const peer = figures(10, 1e9)

/** One record per millisecond, the first one also beforehand; each arrives after as many milliseconds as its number. */
const arrivals = (count: number): Arrival[] =>
  [0, ...Array.from({ length: count }, (_, number) => number)].map((number) => ({
    number,
    madeAt: number,
    arrivedAt: number * 2,
  }))

test('three times the speed within 250 MB is at the bar', () => {
  assert.deepEqual(shortfalls({ ours: figures(30, 250_000_000), peer }), [])
})

test('too slow and too large are both said', () => {
  assert.deepEqual(shortfalls({ ours: figures(29, 251_000_000), peer }), [
    '2.90 times the records/s of One, not 3',
    'a peak of 251 MB of memory, not 250',
  ])
})

test('the warm-up does not count for the latency', () => {
  const { p50, p99, max, lost, duplicated } = latencyOf(arrivals(200), 200, 100)
  assert.deepEqual({ p50, p99, max, lost, duplicated }, { p50: 149, p99: 198, max: 199, lost: 0, duplicated: 0 })
})

test('a lost and a duplicated record are told apart', () => {
  const some = arrivals(200).map((arrival) => (arrival.number === 7 ? { ...arrival, number: 8 } : arrival))
  const { lost, duplicated } = latencyOf(some, 200, 100)
  assert.deepEqual({ lost, duplicated }, { lost: 1, duplicated: 1 })
  const wrong = { ...figures(1, 1), latency: { ...figures(1, 1).latency, lost, duplicated } }
  assert.deepEqual(losses(wrong), ['One: lost 1, duplicated 1 at the steady rate'])
})

test('the table has each figure of both and their ratio', () => {
  assert.match(table({ ours: figures(30_000, 2e8), peer: figures(10_000, 1e9) }), /^records\/s +30,000 +10,000 +3.00$/m)
})
