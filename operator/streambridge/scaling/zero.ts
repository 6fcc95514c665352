/** To zero replicas and back: when nothing comes in, and looking for work from time to time. */
import type { KnownLoad } from './load.ts'
import { fresh, type ScalingDecision, type ScalingInput, type ScalingMemory, type ScalingPolicy } from './policy.ts'

/** Milliseconds without work after which a probe ends: twice the runtime's averaging time. */
const quiet = 20_000

/** Zero replicas: one is started every `probe` to look. */
export function atZero(policy: ScalingPolicy, memory: ScalingMemory | undefined, input: ScalingInput): ScalingDecision {
  const { now, wasIdle } = input
  const known = memory?.zeroSince !== undefined || wasIdle
  const zeroSince = memory?.zeroSince ?? now
  if (!known || now - zeroSince >= policy.probe) {
    return {
      replicas: 1,
      reason: 'ProbingForWork',
      message: 'one replica starts to look for work',
      memory: { ...fresh, probe: {} },
    }
  }
  return {
    replicas: 0,
    reason: 'Idle',
    message: 'nothing came in; one replica looks for work from time to time',
    memory: { ...fresh, zeroSince },
  }
}

/** Stops the last replicas. */
export const toZero = (now: number): ScalingDecision => ({
  replicas: 0,
  reason: 'Idle',
  message: 'nothing came in; one replica looks for work from time to time',
  memory: { ...fresh, zeroSince: now, changedAt: now },
})

/** The replica that looks for work: undefined once it has found some. */
export function probing(
  policy: ScalingPolicy,
  memory: ScalingMemory,
  load: KnownLoad,
  now: number,
): ScalingDecision | undefined {
  if (load.totalIn > 0 || load.inPerSecond > 0 || (load.complete && !load.drained)) return undefined
  const quietSince = load.complete ? (memory.probe?.quietSince ?? now) : undefined
  if (quietSince !== undefined && now - quietSince >= Math.min(policy.idle, quiet)) return toZero(now)
  return {
    replicas: 1,
    reason: 'ProbingForWork',
    message: 'one replica looks for work',
    memory: { ...memory, probe: { quietSince } },
  }
}

/** Since when there has been nothing to do: no lag anywhere, nothing in flight, nothing coming in. */
export function idleSince(memory: ScalingMemory, load: KnownLoad, now: number): number | undefined {
  const nothing = load.complete && load.drained && load.inPerSecond === 0
  return nothing ? (memory.idleSince ?? now) : undefined
}
