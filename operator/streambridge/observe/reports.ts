/** What several replicas' reports say together. */
import type { PartitionReport, RuntimeReport } from '../../../crds/schema/report.ts'
import type { Instant, ObservedPod } from './observed.ts'
import { troubleOf } from './pod-trouble.ts'

/** Replicas that are meant to stay. */
export const nonTerminating = (pods: readonly ObservedPod[]): readonly ObservedPod[] =>
  pods.filter(({ terminating }) => !terminating)

/** What the replicas say that run now: a report that is too old, or of a process that has ended, is none. */
export const reportsOf = (pods: readonly ObservedPod[], interval: number, now: Instant): readonly RuntimeReport[] =>
  pods.flatMap((pod) =>
    pod.seen !== undefined && now.monotonic - pod.seen.at <= 3 * interval && troubleOf(pod) === undefined
      ? [pod.seen.report]
      : [],
  )

export const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0)

/** Each partition once. While it changes hands two replicas report it: the newer owner counts. */
export function ownedPartitions(reports: readonly RuntimeReport[]): readonly PartitionReport[] {
  const owned = new Map<string, PartitionReport>()
  for (const report of reports.flatMap(({ partitions }) => partitions)) {
    const other = owned.get(report.partition)
    if (other === undefined || other.epoch < report.epoch) owned.set(report.partition, report)
  }
  return [...owned.values()]
}

/** Partitions of the source; undefined where no replica can tell. */
export function partitionCount(reports: readonly RuntimeReport[]): number | undefined {
  const counts = reports.flatMap(({ source }) => (source.partitions === undefined ? [] : [source.partitions]))
  return counts.length === 0 ? undefined : Math.max(...counts)
}

/** True when every partition of the source is owned by one of the replicas. */
export function allOwned(reports: readonly RuntimeReport[]): boolean {
  const owned = ownedPartitions(reports).length
  return owned > 0 && owned >= (partitionCount(reports) ?? 0)
}

export interface TotalLag {
  /** Absent where the source can only tell time. */
  readonly records?: number
  /** Of the slowest partition; absent where the source can only count. */
  readonly seconds?: number
}

/** The lag of all the partitions, or why it is unknown: one that cannot tell makes the sum meaningless. */
export function totalLag(partitions: readonly PartitionReport[]): TotalLag | { readonly unknown: string } {
  let records: number | undefined
  let seconds: number | undefined
  for (const { partition, lag } of partitions) {
    if (lag.kind === 'unknown') return { unknown: `partition ${partition}: ${lag.reason}` }
    if (lag.records === undefined && lag.seconds === undefined)
      return { unknown: `partition ${partition} tells no lag` }
    if (lag.records !== undefined) records = (records ?? 0) + lag.records
    if (lag.seconds !== undefined) seconds = Math.max(seconds ?? 0, lag.seconds)
  }
  return { ...(records !== undefined && { records }), ...(seconds !== undefined && { seconds }) }
}
