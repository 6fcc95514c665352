import assert from 'node:assert/strict'
import test from 'node:test'
import { begin, behind, during, load, minute, policy, second } from '../../../test/support/scaling-run.ts'
import { decideReplicas } from './decide.ts'
import type { KnownLoad } from './load.ts'

test('replicas are added only after the need has held for the stabilization time', () => {
  const run = during(begin(1), 25 * second, policy(), () => behind(1))
  assert.deepEqual([run.replicas, run.reason], [1, 'Stabilizing'])
  during(run, 15 * second, policy(), () => behind(1))
  assert.deepEqual([run.replicas, run.reason], [5, 'Cooldown'])
})

test('replicas never exceed the partitions', () => {
  const run = during(begin(1), 20 * minute, policy(), ({ replicas }) =>
    behind(Math.min(replicas, 3), { partitions: 3 }),
  )
  assert.deepEqual([run.replicas, run.reason], [3, 'LimitedByPartitions'])
})

test('maxReplicas is named when it is the limit', () => {
  const run = during(begin(1), 20 * minute, policy({ maxReplicas: 2 }), ({ replicas }) => behind(replicas))
  assert.deepEqual([run.replicas, run.reason], [2, 'LimitedByMaxReplicas'])
})

test('a scale-up that gains nothing marks the sink as the limit', () => {
  const run = during(begin(1), 5 * minute, policy(), () => behind(1))
  assert.deepEqual([run.replicas, run.reason], [5, 'SinkBound'])
})

test('nothing is added while the sink takes nothing', () => {
  const run = during(begin(2), 10 * minute, policy(), () =>
    behind(2, { inPerSecond: 0, outPerSecond: 0, capacities: [] }),
  )
  assert.equal(run.replicas, 2)
})

test('nothing is added while the sink throttles', () => {
  const run = during(begin(2), 10 * minute, policy(), () => behind(2, { throttled: true, capacities: [] }))
  assert.equal(run.replicas, 2)
})

test('fewer replicas follow slowly, one at a time', () => {
  const run = during(begin(4), 4 * minute, policy(), () => load())
  assert.equal(run.replicas, 4)
  during(run, 2 * minute, policy(), () => load())
  assert.equal(run.replicas, 3)
  during(run, 30 * minute, policy(), () => load())
  assert.equal(run.replicas, 1)
})

test('one moment with an unknown load keeps the replicas for a whole window', () => {
  const run = during(begin(4), 4 * minute, policy(), () => load())
  during(run, 5 * second, policy(), () => ({ kind: 'unknown', reason: 'pod x did not answer' }))
  assert.equal(run.reason, 'MetricsUnavailable')
  during(run, 4 * minute, policy(), () => load())
  assert.equal(run.replicas, 4)
})

test('a partition without an owner keeps replicas', () => {
  const run = during(begin(4), 60 * minute, policy(), () => load({ complete: false }))
  assert.deepEqual([run.replicas, run.reason], [4, 'MetricsUnavailable'])
})

test('replicas are held while some are being replaced', () => {
  const decision = decideReplicas(policy({ minReplicas: 0 }), undefined, {
    now: 0,
    current: 3,
    settled: false,
    wasIdle: false,
    load: load(),
  })
  assert.deepEqual([decision.replicas, decision.reason], [3, 'MetricsUnavailable'])
})

test('lag in seconds adds replicas until it shrinks fast enough', () => {
  const seconds = (lagSeconds: number): KnownLoad => behind(1, { lagRecords: undefined, lagSeconds, capacities: [] })
  const run = during(begin(1), 40 * second, policy(), ({ now }) => seconds(180 + now / second))
  assert.equal(run.replicas, 4)
  const shrinking = during(begin(1), 10 * minute, policy(), ({ now }) =>
    seconds(Math.max(0, 600 - (now / second) * 12)),
  )
  assert.equal(shrinking.replicas, 1)
})

test('the last replica stops only after nothing came in for the idle time', () => {
  const idle = load({ inPerSecond: 0, outPerSecond: 0 })
  const run = during(begin(1), 9 * minute, policy({ minReplicas: 0 }), () => idle)
  assert.equal(run.replicas, 1)
  during(run, 5 * second, policy({ minReplicas: 0 }), () => load({ inPerSecond: 1 }))
  during(run, 9 * minute, policy({ minReplicas: 0 }), () => idle)
  assert.equal(run.replicas, 1)
  during(run, 65 * second, policy({ minReplicas: 0 }), () => idle)
  assert.deepEqual([run.replicas, run.reason], [0, 'Idle'])
})

test('one replica is started from zero to probe for work, and stops again when there is none', () => {
  const rules = policy({ minReplicas: 0 })
  const nothing = load({ inPerSecond: 0, outPerSecond: 0, totalIn: 0 })
  const run = during(begin(1), 11 * minute, rules, () => nothing)
  assert.deepEqual(run.replicas, 0)
  let woken = 0
  const before = run.now
  while (run.now - before < 10 * minute) {
    const was = run.replicas
    during(run, 5 * second, rules, () => nothing)
    if (run.replicas > was) woken += 1
  }
  assert.ok(woken >= 5, `woken ${woken} times`)
})

test('a probing replica stays when it finds lag, and until it has reported', () => {
  const rules = policy({ minReplicas: 0 })
  const run = during(begin(0), 5 * second, rules, () => ({ kind: 'unknown', reason: 'no replica' }))
  assert.deepEqual([run.replicas, run.reason], [1, 'ProbingForWork'])
  during(run, 30 * minute, rules, () => ({ kind: 'unknown', reason: 'not reported' }))
  assert.equal(run.replicas, 1)
  during(run, 10 * minute, rules, () => load({ complete: false, inPerSecond: 0, totalIn: 0 }))
  assert.equal(run.replicas, 1)
  during(run, 2 * minute, rules, () => load({ lagRecords: 5, drained: false, inPerSecond: 0, totalIn: 0 }))
  assert.equal(run.replicas, 1)
})
