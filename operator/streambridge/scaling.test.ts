import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { decideReplicas } from './scaling.ts'
import type { KnownLoad, Load } from './scaling-load.ts'
import type { ScalingMemory, ScalingPolicy } from './scaling-policy.ts'

const second = 1_000
const minute = 60 * second

const policy = (changes: Partial<ScalingPolicy> = {}): ScalingPolicy => ({
  minReplicas: 1,
  maxReplicas: 10,
  targetDrain: minute,
  tolerance: 0.2,
  up: { stabilization: 30 * second, maxStep: 4, cooldown: minute },
  down: { stabilization: 5 * minute, maxStep: 1, cooldown: 3 * minute },
  idle: 10 * minute,
  probe: minute,
  ...changes,
})

const load = (changes: Partial<KnownLoad> = {}): KnownLoad => ({
  kind: 'known',
  lagRecords: 0,
  lagSeconds: undefined,
  complete: true,
  drained: true,
  inPerSecond: 100,
  outPerSecond: 100,
  totalIn: 1_000,
  partitions: 12,
  utilisation: 0,
  throttled: false,
  capacities: [],
  ...changes,
})

const behind = (replicas: number, changes: Partial<KnownLoad> = {}): KnownLoad =>
  load({
    lagRecords: 1_000_000,
    drained: false,
    utilisation: 1,
    inPerSecond: 1_000 * replicas,
    outPerSecond: 1_000 * replicas,
    capacities: Array.from({ length: replicas }, () => 1_000),
    ...changes,
  })

interface Run {
  replicas: number
  memory: ScalingMemory | undefined
  now: number
  reason: string
}

const begin = (replicas: number): Run => ({ replicas, memory: undefined, now: 0, reason: '' })

/** Decides every 5 s for the time. */
function during(run: Run, time: number, rules: ScalingPolicy, observe: (run: Run) => Load): Run {
  const end = run.now + time
  while (run.now < end) {
    run.now += 5 * second
    const decision = decideReplicas(rules, run.memory, {
      now: run.now,
      current: run.replicas,
      settled: true,
      wasIdle: false,
      load: observe(run),
    })
    run.replicas = decision.replicas
    run.memory = decision.memory
    run.reason = decision.reason
  }
  return run
}

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

test('one look that failed keeps replicas for a whole window', () => {
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

test('at zero one replica is started to look, and stops again when there is nothing', () => {
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

test('the replica that looks stays when it finds lag, and until it has reported', () => {
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

const anyLoad: fc.Arbitrary<Load> = fc.oneof(
  { weight: 1, arbitrary: fc.constant<Load>({ kind: 'unknown', reason: 'no answer' }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('known' as const),
      lagRecords: fc.option(fc.nat(10_000_000), { nil: undefined }),
      lagSeconds: fc.option(fc.nat(100_000), { nil: undefined }),
      complete: fc.boolean(),
      drained: fc.boolean(),
      inPerSecond: fc.nat(100_000),
      outPerSecond: fc.nat(100_000),
      totalIn: fc.nat(1_000_000),
      partitions: fc.option(fc.nat(40), { nil: undefined }),
      utilisation: fc.double({ min: 0, max: 1, noNaN: true }),
      throttled: fc.boolean(),
      capacities: fc.array(fc.integer({ min: 1, max: 50_000 }), { maxLength: 5 }),
    }),
  },
)

const anyPolicy: fc.Arbitrary<ScalingPolicy> = fc
  .record({
    low: fc.nat(5),
    more: fc.nat(20),
    stabilization: fc.nat(120),
    step: fc.integer({ min: 1, max: 8 }),
    cooldown: fc.nat(120),
    idle: fc.nat(120),
    tolerance: fc.nat(100),
  })
  .map(({ low, more, stabilization, step, cooldown, idle, tolerance }) => {
    const direction = { stabilization: stabilization * second, maxStep: step, cooldown: cooldown * second }
    const bounds = { minReplicas: low, maxReplicas: Math.max(1, low + more) }
    return policy({ ...bounds, tolerance: tolerance / 100, idle: idle * second, up: direction, down: direction })
  })

test('whatever is reported, replicas stay in bounds and never fall on missing data', () => {
  fc.assert(
    fc.property(anyPolicy, fc.nat(30), fc.array(anyLoad, { maxLength: 80 }), (rules, start, loads) => {
      const run = begin(Math.min(rules.maxReplicas, Math.max(rules.minReplicas, start)))
      for (const seen of loads) {
        const before = run.replicas
        during(run, 5 * second, rules, () => seen)
        assert.ok(Number.isInteger(run.replicas))
        assert.ok(run.replicas >= rules.minReplicas && run.replicas <= rules.maxReplicas)
        const blind = seen.kind === 'unknown' || !seen.complete
        if (blind) assert.ok(run.replicas >= before, 'fewer replicas on missing data')
        if (before > 0 && run.replicas === 0) assert.ok(seen.kind === 'known' && seen.drained)
      }
    }),
    { numRuns: 500 },
  )
})

/** A source with a steady stream and replicas of equal capacity. */
function plant(arrival: number, capacity: number, partitions: number) {
  let lag = 0
  let total = 0
  return ({ replicas }: Run): Load => {
    const working = Math.min(replicas, partitions)
    const possible = working * capacity
    const moved = Math.min(possible, arrival + lag / 5)
    lag = Math.max(0, lag + (arrival - moved) * 5)
    total += moved * 5
    const busy = lag > 0 ? 1 : Math.min(1, arrival / Math.max(1, possible))
    return load({
      lagRecords: lag,
      drained: lag === 0,
      inPerSecond: moved,
      outPerSecond: moved,
      totalIn: total,
      partitions,
      utilisation: busy,
      capacities: busy >= 0.8 ? Array.from({ length: working }, () => moved / working) : [],
    })
  }
}

test('under a steady stream the replicas settle, suffice and stay', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20_000 }),
      fc.integer({ min: 500, max: 5_000 }),
      fc.integer({ min: 1, max: 12 }),
      (arrival, capacity, start) => {
        const rules = policy({ maxReplicas: 12 })
        const source = plant(arrival, capacity, 12)
        const run = during(begin(start), 120 * minute, rules, source)
        const settled = run.replicas
        let changes = 0
        for (let step = 0; step < 720; step += 1) {
          const before = run.replicas
          during(run, 5 * second, rules, source)
          if (run.replicas !== before) changes += 1
        }
        assert.equal(changes, 0, `still changing around ${settled}`)
        assert.ok(settled * capacity >= Math.min(arrival, 12 * capacity), `${settled} are not enough`)
        assert.ok(settled <= Math.max(1, Math.ceil((arrival / capacity) * 1.6) + 1), `${settled} are too many`)
      },
    ),
    { numRuns: 100 },
  )
})

test('replicas that were never busy become fewer as long as the rest is not', () => {
  const source = plant(3_000, 500, 12)
  const run = during(begin(12), 120 * minute, policy({ maxReplicas: 12 }), source)
  assert.ok(run.replicas >= 6 && run.replicas <= 8, `${run.replicas}`)
})

test('a need that wavers inside the tolerance changes nothing', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.82, max: 1.18, noNaN: true }), { minLength: 100, maxLength: 300 }),
      (uses) => {
        const run = begin(4)
        for (const use of uses) {
          const rate = 4_000 * use
          during(run, 5 * second, policy(), () =>
            load({ inPerSecond: rate, outPerSecond: rate, utilisation: 0.9, capacities: [1_000, 1_000, 1_000, 1_000] }),
          )
          assert.equal(run.replicas, 4)
        }
      },
    ),
    { numRuns: 100 },
  )
})
