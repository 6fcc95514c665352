/** Runs the scaling decision over time against a load that the test decides. */
import { decideReplicas } from '../../operator/streambridge/scaling/decide.ts'
import type { KnownLoad, Load } from '../../operator/streambridge/scaling/load.ts'
import type { ScalingMemory, ScalingPolicy } from '../../operator/streambridge/scaling/policy.ts'

export const second = 1_000
export const minute = 60 * second

export const policy = (changes: Partial<ScalingPolicy> = {}): ScalingPolicy => ({
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

export const load = (changes: Partial<KnownLoad> = {}): KnownLoad => ({
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

export const behind = (replicas: number, changes: Partial<KnownLoad> = {}): KnownLoad =>
  load({
    lagRecords: 1_000_000,
    drained: false,
    utilisation: 1,
    inPerSecond: 1_000 * replicas,
    outPerSecond: 1_000 * replicas,
    capacities: Array.from({ length: replicas }, () => 1_000),
    ...changes,
  })

export interface Run {
  replicas: number
  memory: ScalingMemory | undefined
  now: number
  reason: string
}

export const begin = (replicas: number): Run => ({ replicas, memory: undefined, now: 0, reason: '' })

/** Decides every 5 s for the time. */
export function during(run: Run, time: number, rules: ScalingPolicy, observe: (run: Run) => Load): Run {
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
