/** Why a replica does not run, or cannot be counted on yet, with its name and what to do. Pure. */
import type { Reason } from '../reason.ts'
import type { ObservedPod, PodCrash } from './observed.ts'

export interface PodTrouble {
  readonly reason: Extract<Reason, 'CrashLoopBackOff' | 'ReplicasUnavailable'>
  readonly message: string
}

/** Restarts from which on a replica has to prove itself, and the seconds for which it has to. */
const manyRestarts = 2
const proven = 60

const next = (name: string, { outOfMemory }: PodCrash): string =>
  outOfMemory
    ? 'raise spec.template.resources.limits.memory, or lower delivery.maxInFlightBytes'
    : `\`kubectl logs ${name} --previous\` says why`

/** Undefined where the replica runs. */
export function troubleOf({ name, problem, crash, seen }: ObservedPod): PodTrouble | undefined {
  if (problem !== undefined) {
    if (crash === undefined) return { reason: 'ReplicasUnavailable', message: `pod ${name}: ${problem}` }
    return { reason: 'CrashLoopBackOff', message: `pod ${name}: ${problem}: ${next(name, crash)}` }
  }
  if (crash === undefined || crash.restarts < manyRestarts || (seen?.report.uptime ?? proven) >= proven)
    return undefined
  const what = `has restarted ${crash.restarts} times${crash.exit} and runs for less than ${proven} s`
  return { reason: 'CrashLoopBackOff', message: `pod ${name}: ${what}: ${next(name, crash)}` }
}

/** The first replica that is in trouble. */
export function podTrouble(pods: readonly ObservedPod[]): PodTrouble | undefined {
  for (const pod of pods) {
    const trouble = troubleOf(pod)
    if (trouble !== undefined) return trouble
  }
  return undefined
}
