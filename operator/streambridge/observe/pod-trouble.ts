/** Why a replica does not run, or keeps crashing, with its name and what to do. Pure. */
import type { Reason } from '../reason.ts'
import type { ObservedPod, PodCrash } from './observed.ts'

export interface PodTrouble {
  readonly reason: Extract<Reason, 'CrashLoopBackOff' | 'ReplicasUnavailable'>
  readonly message: string
}

/** A replica that was restarted so often is in a crash loop until it has run for so many seconds. */
const crashLoopRestarts = 2
const stableAfter = 60

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
  if (crash === undefined || crash.restarts < crashLoopRestarts || (seen?.report.uptime ?? stableAfter) >= stableAfter)
    return undefined
  const what = `has restarted ${crash.restarts} times${crash.exit} and runs for less than ${stableAfter} s`
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
