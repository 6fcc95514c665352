/** Scaling to zero and back: to zero when no record comes in, and a replica that probes for work from time to time. */
import type { KnownLoad } from './load.ts'
import {
  emptyMemory,
  type ScalingDecision,
  type ScalingInput,
  type ScalingMemory,
  type ScalingPolicy,
} from './policy.ts'

/** Milliseconds without work after which a probe ends: twice the runtime's averaging time. */
const probeEndsAfter = 20_000

/** Zero replicas: one is started every `probe`. */
export function atZero(policy: ScalingPolicy, memory: ScalingMemory | undefined, input: ScalingInput): ScalingDecision {
  const { now, wasIdle } = input
  const known = memory?.zeroSince !== undefined || wasIdle
  const zeroSince = memory?.zeroSince ?? now
  if (!known || now - zeroSince >= policy.probe) {
    return {
      replicas: 1,
      reason: 'ProbingForWork',
      message: 'one replica starts to look for work',
      memory: { ...emptyMemory, probe: {} },
    }
  }
  return {
    replicas: 0,
    reason: 'Idle',
    message: 'nothing came in; one replica looks for work from time to time',
    memory: { ...emptyMemory, zeroSince },
  }
}

/** Stops the last replicas. */
export const toZero = (now: number): ScalingDecision => ({
  replicas: 0,
  reason: 'Idle',
  message: 'nothing came in; one replica looks for work from time to time',
  memory: { ...emptyMemory, zeroSince: now, changedAt: now },
})

/** The replica that probes for work: undefined once it has found some. */
export function probing(
  policy: ScalingPolicy,
  memory: ScalingMemory,
  load: KnownLoad,
  now: number,
): ScalingDecision | undefined {
  if (load.totalIn > 0 || load.inPerSecond > 0 || (load.complete && !load.drained)) return undefined
  const quietSince = load.complete ? (memory.probe?.quietSince ?? now) : undefined
  if (quietSince !== undefined && now - quietSince >= Math.min(policy.idle, probeEndsAfter)) return toZero(now)
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
