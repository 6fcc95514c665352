/** Whether every partition is read and moves, as the reports say together. Pure. */
import { sourceOf } from '../../../bridge-runtime/connectors/catalog.ts'
import type { RuntimeReport } from '../../../crds/schema/report.ts'
import { type Verdict, verdict } from './conditions.ts'
import { podTrouble } from '../observe/pod-trouble.ts'
import { ownedPartitions, partitionCount } from '../observe/reports.ts'
import type { Situation } from './situation.ts'

/** Milliseconds for which a partition may have no reader: it changes its owner at a rebalance, or when a lease expires. */
const unreadAfter = 60_000

/** Milliseconds without a record or a commit in any replica, with lag, after which the bridge is stuck. */
const stuckAfter = 60_000

/** True while a partition of the source has no reader among the replicas that report, or no replica knows of a partition. */
export function isUnread(reports: readonly RuntimeReport[], partitioned: boolean): boolean {
  const connected = reports.filter(({ source }) => source.connected)
  if (!partitioned || connected.length === 0) return false
  const owned = ownedPartitions(reports).length
  const count = partitionCount(reports)
  return count === undefined ? owned === 0 : owned < count
}

/** Since when a partition is unread, on the monotonic clock. */
export const unreadSince = (unread: boolean, before: number | undefined, now: number): number | undefined =>
  unread ? (before ?? now) : undefined

function unread({ reports, pods, unread: time }: Situation): Verdict | undefined {
  if (time === undefined || time <= unreadAfter) return undefined
  const count = partitionCount(reports)
  const owned = ownedPartitions(reports).length
  const unreported = pods.find(({ reportError }) => reportError !== undefined)
  const cause =
    podTrouble(pods)?.message ??
    (unreported && `pod ${unreported.name}: ${unreported.reportError}`) ??
    (count === undefined
      ? 'see the log of the replicas'
      : 'another application or bridge may read them: give this one a consumer group of its own; or see the log of the replicas')
  const which =
    count === undefined
      ? 'no replica reads a partition'
      : `${count - owned} of ${count} partitions are read by no replica`
  // A replica that does not answer may read them.
  const status = unreported === undefined || owned === 0 ? 'False' : 'Unknown'
  return verdict(status, 'PartitionsUnread', `${which} for more than ${unreadAfter / 1_000} s: ${cause}`)
}

function none({ bridge, reports }: Situation): Verdict | undefined {
  if (bridge === undefined || partitionCount(reports) !== 0) return undefined
  const { type, definition, config } = sourceOf(bridge.spec.source)
  const stream = `${type} ${definition.describe(config).name}`
  return verdict(
    'False',
    'NoPartitions',
    `the source has no partition to read: check that ${stream} exists and is open`,
  )
}

/** Partitions with lag whose records do not move, as every replica that reads them reports. */
function still({ reports }: Situation): Verdict | undefined {
  const all = reports.flatMap(({ partitions }) => partitions)
  const moving = new Set(all.filter((one) => one.still === undefined).map(({ partition }) => partition))
  const stuckPartitions = all.filter((one) => one.still !== undefined && !one.halted && !moving.has(one.partition))
  const names = new Set(stuckPartitions.map(({ partition }) => partition))
  const [first] = stuckPartitions
  if (first?.still === undefined) return undefined
  const others = names.size > 1 ? ` (and ${names.size - 1} more partitions)` : ''
  return verdict('False', 'NoProgress', `partition ${first.partition}: ${first.still.message}${others}`)
}

const isBehind = ({ partitions }: RuntimeReport): boolean =>
  partitions.some(({ lag }) => lag.kind === 'known' && ((lag.records ?? 0) > 0 || (lag.seconds ?? 0) > 0))

const isInactive = ({ rates, uptime, at, lastCommitAt = -Infinity }: RuntimeReport): boolean =>
  rates.in === 0 && rates.out === 0 && uptime * 1_000 >= stuckAfter && at - lastCommitAt >= stuckAfter

/** All replicas together: the time of a partition that moves between replicas starts again with each owner. */
function stuck({ bridge, reports }: Situation): Verdict | undefined {
  const partitioned = bridge !== undefined && sourceOf(bridge.spec.source).definition.partitioned
  if (!partitioned || !reports.some(isBehind) || !reports.every(isInactive)) return undefined
  const message = `records wait and no replica has moved or committed any for more than ${stuckAfter / 1_000} s: see their logs`
  return verdict('False', 'NoProgress', message)
}

/** Why records do not move although the connections work. */
export const noProgress = (situation: Situation): Verdict | undefined =>
  none(situation) ?? still(situation) ?? stuck(situation) ?? unread(situation)
