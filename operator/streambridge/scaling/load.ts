/** What the replicas' reports say together, for the scaling decision. */
import type { PartitionReport, RuntimeReport } from '../../../crds/schema/report.ts'
import { allOwned, ownedPartitions, partitionCount, sum, totalLag } from '../observe/reports.ts'

/** A replica's output is taken for its capacity only when it had work for at least this share of the time. */
const fullWorkThreshold = 0.8
/** Seconds after its start in which a replica's 10 s averages still hold time before the start. */
const warmUp = 15

export type Load = { readonly kind: 'unknown'; readonly reason: string } | KnownLoad

export interface KnownLoad {
  readonly kind: 'known'
  /** Records behind the end; undefined where the source can only tell time. Halted partitions do not count: no replica can help. */
  readonly lagRecords: number | undefined
  /** Seconds behind the end, of the slowest partition. */
  readonly lagSeconds: number | undefined
  /** False while a partition has no owner or a replica does not read: the true lag may be greater. */
  readonly complete: boolean
  /** Nothing waits anywhere, halted partitions included, and nothing is in flight. */
  readonly drained: boolean
  /** Records per second. */
  readonly inPerSecond: number
  readonly outPerSecond: number
  /** Records read since the replicas started. */
  readonly totalIn: number
  /** Most replicas that can have work; undefined where there is no such number. */
  readonly partitions: number | undefined
  /** Share of the replicas' time in which there was work, 0 to 1. */
  readonly utilisation: number
  /** Half of the replicas or more are slowed down by the sink. */
  readonly throttled: boolean
  /** Records per second of each replica that was measured at full work. */
  readonly capacities: readonly number[]
}

const capacityOf = (report: RuntimeReport): readonly number[] => {
  const atFullWork =
    report.busy >= fullWorkThreshold &&
    !report.sink.throttled &&
    report.uptime >= warmUp &&
    report.rates.out > 0 &&
    report.partitions.every(({ halted }) => halted === undefined)
  return atFullWork ? [report.rates.out] : []
}

const isBehind = ({ lag, inFlightRecords }: PartitionReport): boolean =>
  inFlightRecords > 0 || lag.kind === 'unknown' || (lag.records ?? 0) > 0 || (lag.seconds ?? 0) > 0

/** One load of all reports. Call it only with a report of every replica that should run. */
export function loadOf(reports: readonly RuntimeReport[]): Load {
  if (reports.length === 0) return { kind: 'unknown', reason: 'no replica has reported' }
  const partitions = ownedPartitions(reports)
  const lag = totalLag(partitions.filter(({ halted }) => halted === undefined))
  if ('unknown' in lag) return { kind: 'unknown', reason: `the lag is unknown: ${lag.unknown}` }
  return {
    kind: 'known',
    lagRecords: lag.records,
    lagSeconds: lag.seconds,
    complete: allOwned(reports) && reports.every(({ state, source }) => state === 'running' && source.connected),
    drained: !partitions.some(isBehind) && reports.every(({ inFlightBytes }) => inFlightBytes === 0),
    inPerSecond: sum(reports, ({ rates }) => Math.max(0, rates.in)),
    outPerSecond: sum(reports, ({ rates }) => Math.max(0, rates.out)),
    totalIn: sum(reports, ({ totals }) => totals.in),
    partitions: partitionCount(reports),
    utilisation: sum(reports, ({ busy }) => busy) / reports.length,
    throttled: reports.filter(({ sink }) => sink.throttled).length * 2 >= reports.length,
    capacities: reports.flatMap(capacityOf),
  }
}
