/**
 * How many replicas should run with `scaling.mode: Lag`. A pure function of the reports, the memory and the clock.
 *
 * *Guarantees*: never outside minReplicas..maxReplicas; never fewer on missing data or while a partition has no owner;
 * never to zero unless every partition was seen without lag. *Assumption*: called every few seconds.
 */
import type { KnownLoad } from './load.ts'
import { measure, busyThreshold, replicasNeeded } from './need.ts'
import {
  emptyMemory,
  type ScalingDecision,
  type ScalingInput,
  type ScalingMemory,
  type ScalingPolicy,
} from './policy.ts'
import { highestRecommendation, lowestRecommendation, addRecommendation } from './recommendations.ts'
import { atZero, idleSince, probing, toZero } from './zero.ts'

/** Milliseconds after a change is complete before its effect can be read: twice the runtime's averaging time. */
const effectVisible = 20_000
/** A scale-up that gains less shows that the sink is the limit. */
const minGain = 0.1
/** Milliseconds until more replicas are tried again. */
const sinkBoundFor = 600_000

type Verdict = Omit<ScalingDecision, 'memory'>

/** Evaluates the last scale-up once its effect is visible. */
function evaluateScaleUp(memory: ScalingMemory, load: KnownLoad, now: number): ScalingMemory {
  const { trial, sinkBoundAt, ...rest } = memory
  const expired = sinkBoundAt === undefined || now - sinkBoundAt >= sinkBoundFor || load.utilisation < busyThreshold
  const bound = expired ? {} : { sinkBoundAt }
  if (trial === undefined) return { ...rest, ...bound }
  const settledAt = trial.settledAt ?? now
  if (now - settledAt < effectVisible) return { ...rest, ...bound, trial: { ...trial, settledAt } }
  const expectedGain = Math.min(minGain, (trial.to / trial.from - 1) / 2)
  const gained = load.outPerSecond >= trial.out * (1 + expectedGain)
  return load.utilisation >= busyThreshold && !gained ? { ...rest, sinkBoundAt: now } : { ...rest, ...bound }
}

const sinkIsTheLimit = (memory: ScalingMemory, load: KnownLoad): boolean =>
  memory.sinkBoundAt !== undefined ||
  load.throttled ||
  (!load.drained && load.utilisation >= busyThreshold && load.inPerSecond === 0 && load.outPerSecond === 0)

const inCooldown = (memory: ScalingMemory, cooldown: number, now: number): boolean =>
  memory.changedAt !== undefined && now - memory.changedAt < cooldown

/** Replicas that could have work: the partitions bound them, but never below minReplicas. */
const maxUseful = (policy: ScalingPolicy, load: KnownLoad): number =>
  Math.max(policy.minReplicas, 1, Math.min(policy.maxReplicas, load.partitions ?? policy.maxReplicas))

function limit(policy: ScalingPolicy, load: KnownLoad, needed: number, current: number): Verdict | undefined {
  const ceiling = maxUseful(policy, load)
  if (needed <= ceiling || current < ceiling) return undefined
  return ceiling < policy.maxReplicas
    ? {
        replicas: current,
        reason: 'LimitedByPartitions',
        message: `more than ${ceiling} replicas would have no partition`,
      }
    : {
        replicas: current,
        reason: 'LimitedByMaxReplicas',
        message: `the lag needs more than ${ceiling} replicas: raise scaling.maxReplicas`,
      }
}

function scaleUp(policy: ScalingPolicy, memory: ScalingMemory, load: KnownLoad, step: Step): Verdict {
  const { current, wanted, now } = step
  const hold = (reason: Verdict['reason'], message: string): Verdict => ({ replicas: current, reason, message })
  if (sinkIsTheLimit(memory, load)) return hold('SinkBound', 'the sink is the limit: more replicas bring nothing')
  if (inCooldown(memory, policy.up.cooldown, now)) return hold('Cooldown', 'the last change was too recent')
  if (memory.trial !== undefined) return hold('Cooldown', 'the effect of the last change is not known yet')
  const low = lowestRecommendation(memory.recommendations, now, policy.up.stabilization)
  if (low === undefined || low <= current) return hold('Stabilizing', 'more replicas are needed, but not for long yet')
  const replicas = Math.min(low, wanted, current + policy.up.maxStep)
  return { replicas, reason: 'LagAboveTarget', message: `from ${current} to ${replicas}: the lag takes too long` }
}

function scaleDown(policy: ScalingPolicy, memory: ScalingMemory, load: KnownLoad, step: Step): Verdict {
  const { current, now } = step
  const hold = (reason: Verdict['reason'], message: string): Verdict => ({ replicas: current, reason, message })
  if (!load.complete) return hold('MetricsUnavailable', 'a partition has no owner yet: replicas are held')
  if (inCooldown(memory, policy.down.cooldown, now)) return hold('Cooldown', 'the last change was too recent')
  const high = highestRecommendation(memory.recommendations, now, policy.down.stabilization)
  if (high === undefined || high >= current) return hold('Stabilizing', 'fewer replicas would do, but not for long yet')
  const replicas = Math.max(high, current - policy.down.maxStep, policy.minReplicas, 1)
  return { replicas, reason: 'LagBelowTarget', message: `from ${current} to ${replicas}: fewer are enough` }
}

interface Step {
  readonly current: number
  readonly wanted: number
  readonly now: number
}

function change(policy: ScalingPolicy, memory: ScalingMemory, load: KnownLoad, step: Step): Verdict {
  if (step.wanted > step.current) return scaleUp(policy, memory, load, step)
  if (step.wanted < step.current) return scaleDown(policy, memory, load, step)
  return { replicas: step.current, reason: 'LagWithinTarget', message: 'the present replicas are enough' }
}

const longestWindow = (policy: ScalingPolicy): number => Math.max(policy.up.stabilization, policy.down.stabilization)

/** Records a moment with an unknown load: a reason against fewer replicas, and none for more. */
const unknownMoment = (policy: ScalingPolicy, memory: ScalingMemory, current: number, now: number): ScalingMemory => ({
  ...withoutIdle(memory),
  recommendations: addRecommendation(
    memory.recommendations,
    { at: now, low: Infinity, high: current },
    longestWindow(policy),
  ),
})

const withoutIdle = (memory: ScalingMemory): ScalingMemory => ({ ...memory, idleSince: undefined })

/** The regular case: the load of every replica is known, and none is being replaced. */
function decideFromLoad(
  policy: ScalingPolicy,
  before: ScalingMemory,
  load: KnownLoad,
  step: Omit<Step, 'wanted'>,
): ScalingDecision {
  const { current, now } = step
  const measured = measure(before.measured, load, current, now)
  const evaluated = evaluateScaleUp(before, load, now)
  const idle = idleSince(before, load, now)
  if (policy.minReplicas === 0 && idle !== undefined && now - idle >= policy.idle) return toZero(now)

  const { tolerance } = policy
  const needed = replicasNeeded({ load, measured, current, drainSeconds: policy.targetDrain / 1_000, tolerance })
  const wanted = Math.min(maxUseful(policy, load), Math.max(needed, policy.minReplicas, 1))
  const recommendation = { at: now, low: wanted, high: load.complete ? wanted : Math.max(wanted, current) }
  const recommendations = addRecommendation(evaluated.recommendations, recommendation, longestWindow(policy))
  const memory: ScalingMemory = { ...evaluated, measured, recommendations, idleSince: idle, probe: undefined }

  const verdict = limit(policy, load, needed, current) ?? change(policy, memory, load, { current, wanted, now })
  if (verdict.replicas === current) return { ...verdict, memory }
  const trial = { from: current, to: verdict.replicas, out: load.outPerSecond }
  return { ...verdict, memory: { ...memory, changedAt: now, ...(verdict.replicas > current && { trial }) } }
}

export function decideReplicas(
  policy: ScalingPolicy,
  previous: ScalingMemory | undefined,
  input: ScalingInput,
): ScalingDecision {
  const { current, now, load } = input
  const { minReplicas, maxReplicas } = policy
  const memory = previous ?? emptyMemory
  if (current === undefined) {
    const replicas = Math.max(1, minReplicas)
    return { replicas, reason: 'LagWithinTarget', message: 'the first replicas start', memory }
  }
  if (current < minReplicas || current > maxReplicas) {
    const replicas = Math.min(maxReplicas, Math.max(minReplicas, current))
    const message = `from ${current} to ${replicas}: scaling allows ${minReplicas} to ${maxReplicas}`
    const reason = current > maxReplicas ? 'LimitedByMaxReplicas' : 'LagAboveTarget'
    return { replicas, reason, message, memory: { ...memory, changedAt: now } }
  }
  if (current === 0) return atZero(policy, previous, input)
  const hold = { replicas: current, reason: 'MetricsUnavailable' as const }
  if (load.kind === 'unknown') {
    const message = `replicas are held: ${load.reason}`
    return { ...hold, message, memory: unknownMoment(policy, memory, current, now) }
  }
  if (!input.settled)
    return { ...hold, message: 'replicas are held while some are being replaced', memory: withoutIdle(memory) }
  const probe = minReplicas === 0 && memory.probe !== undefined ? probing(policy, memory, load, now) : undefined
  return probe ?? decideFromLoad(policy, memory, load, { current, now })
}
