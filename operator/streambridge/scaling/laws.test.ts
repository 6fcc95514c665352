import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { begin, during, load, minute, policy, type Run, second } from '../../../test/support/scaling-run.ts'
import type { Load } from './load.ts'
import type { ScalingPolicy } from './policy.ts'

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
        // A deficit of less than that grows into a lag that matters only after hours: inside the tolerance until then.
        fc.pre((arrival / capacity) % 1 === 0 || (arrival / capacity) % 1 > 0.05)
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
    { numRuns: 100, endOnFailure: true },
  )
})

test('replicas that were never busy become fewer as long as the rest is not', () => {
  const source = plant(3_000, 500, 12)
  const run = during(begin(12), 120 * minute, policy({ maxReplicas: 12 }), source)
  assert.ok(run.replicas >= 6 && run.replicas <= 8, `${run.replicas}`)
})

test('a need that varies within the tolerance changes nothing', () => {
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
