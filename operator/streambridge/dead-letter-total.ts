/**
 * Dead letters of a StreamBridge over the replicas it has had. Pure: what was counted of each replica stands in the status
 * beside the total, so that neither a replaced pod nor a new operator makes it fall or counts anything twice.
 *
 * *Guarantees*: the total never falls. It may lack what a replica dead-lettered in the seconds between the last look at it
 * and its end, and of a process that began anew inside its pod as many as it had before, if it was not seen in between.
 */
import type { StreamBridgeStatus } from '../../crds/schema/status.ts'
import type { ObservedPod } from './observed.ts'
import { clip } from './text.ts'

type DeadLetter = NonNullable<StreamBridgeStatus['deadLetter']>

/** Process counters begin at 0: one that has fallen has begun anew. */
const added = (now: number, before: number): number => (now >= before ? now - before : now)

/** Undefined where no replica has ever reported. */
export function deadLetterOf(
  pods: readonly Pick<ObservedPod, 'name' | 'seen'>[],
  previous: StreamBridgeStatus['deadLetter'],
): DeadLetter | undefined {
  const before = new Map((previous?.counted ?? []).map(({ replica, total }) => [replica, total]))
  let total = previous?.total ?? 0
  const counted: { replica: string; total: number }[] = []
  for (const { name, seen } of pods) {
    const known = before.get(name) ?? 0
    const now = seen?.report.totals.deadLettered ?? known
    total += added(now, known)
    if (now > 0) counted.push({ replica: name, total: now })
  }
  const reports = pods.flatMap(({ seen }) => (seen === undefined ? [] : [seen.report]))
  if (previous === undefined && reports.length === 0) return undefined
  const [last] = reports.flatMap(({ lastDeadLetter }) => lastDeadLetter ?? []).toSorted((a, b) => b.at - a.at)
  const lastReason = last === undefined ? previous?.lastReason : clip(last.reason)
  return { total, ...(lastReason !== undefined && { lastReason }), ...(counted.length > 0 && { counted }) }
}
