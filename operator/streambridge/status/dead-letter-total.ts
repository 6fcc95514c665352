/**
 * Dead letters of a StreamBridge over the replicas it has had. Pure: what was counted of each replica stands in the status
 * beside the total, so that neither a replaced pod nor a new operator makes it fall or counts anything twice.
 *
 * *Guarantees*: the total never falls. It may lack what a replica dead-lettered in the seconds between its last report
 * and its end, and of a process that restarted inside its pod as many as it had before, if it was not seen in between.
 */
import type { StreamBridgeStatus } from '../../../crds/schema/status.ts'
import { clip } from '../../kube/format/text.ts'
import type { ObservedPod } from '../observe/observed.ts'

type DeadLetter = NonNullable<StreamBridgeStatus['deadLetter']>

/** Process counters begin at 0: one that has fallen is of a restarted process. */
const added = (now: number, before: number): number => (now >= before ? now - before : now)

type Replicas = readonly Pick<ObservedPod, 'name' | 'seen'>[]
type Counted = NonNullable<DeadLetter['counted']>

/** What is counted of each replica from now on; one without a report as before. */
const countedOf = (pods: Replicas, before: ReadonlyMap<string, number>): Counted =>
  pods.map(({ name, seen }) => ({
    replica: name,
    total: seen?.report.totals.deadLettered ?? before.get(name) ?? 0,
  }))

function lastReasonOf(pods: Replicas): string | undefined {
  const letters = pods.flatMap(({ seen }) => seen?.report.lastDeadLetter ?? [])
  const [last] = letters.toSorted((a, b) => b.at - a.at)
  return last && clip(last.reason)
}

/** Undefined where no replica has ever reported. */
export function deadLetterOf(pods: Replicas, previous: Partial<DeadLetter> = {}): DeadLetter | undefined {
  const before = new Map(previous.counted?.map(({ replica, total }) => [replica, total]))
  const counted = countedOf(pods, before)
  if (previous.total === undefined && pods.every(({ seen }) => seen === undefined)) return undefined
  const news = counted.map(({ replica, total }) => added(total, before.get(replica) ?? 0))
  const lastReason = lastReasonOf(pods) ?? previous.lastReason
  const some = counted.filter(({ total }) => total > 0)
  return {
    total: news.reduce((sum, more) => sum + more, previous.total ?? 0),
    ...(lastReason !== undefined && { lastReason }),
    ...(some.length > 0 && { counted: some }),
  }
}
