/** The figures of the status: how far behind, how fast, what went wrong last. Pure. */
import type { RuntimeReport } from '../../../crds/schema/report.ts'
import type { StreamBridgeStatus } from '../../../crds/schema/status.ts'
import { clip } from '../../kube/format/text.ts'
import { time } from '../../kube/format/time.ts'
import { allOwned, ownedPartitions, partitionCount, sum, totalLag } from '../observe/reports.ts'
import type { Situation } from './situation.ts'

/** Three significant digits: small changes of a rate then cause no write of the status. */
const rate = (value: number): string => String(Number(value.toPrecision(3)))

export type Source = NonNullable<StreamBridgeStatus['source']>

/** How far behind; the last figures where nothing is meant to run. */
export function lagOf({ reports, replicas }: Situation, previous: Source | undefined, at: string): Partial<Source> {
  if (reports.length === 0) {
    if (replicas.wanted > 0 || previous === undefined) return {}
    const { type: _, endpoint: __, assignedPartitions: ___, ...last } = previous
    return last
  }
  const partitions = ownedPartitions(reports)
  const count = partitionCount(reports)
  const lag = allOwned(reports) ? totalLag(partitions) : {}
  return {
    ...(count !== undefined && { partitions: count }),
    assignedPartitions: partitions.length,
    ...('records' in lag && lag.records !== undefined && { lagRecords: Math.round(lag.records) }),
    ...('seconds' in lag && lag.seconds !== undefined && { lagSeconds: Math.round(lag.seconds) }),
    observedAt: at,
  }
}

/** Records where they are known, seconds where they are: `1840 (2s)`, `1840`, `2s`. Undefined where neither is. */
export function lagText({ lagRecords, lagSeconds }: Partial<Source>): string | undefined {
  const seconds = lagSeconds === undefined ? undefined : `${lagSeconds}s`
  if (lagRecords === undefined) return seconds
  return seconds === undefined || lagRecords === 0 ? String(lagRecords) : `${lagRecords} (${seconds})`
}

const latest = (values: readonly (number | undefined)[]): number | undefined => {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : Math.max(...known)
}

/** Undefined where nothing is known: once it had fields, the API server would take an empty object for null, and refuse it. */
function checkpointOf(reports: readonly RuntimeReport[]): StreamBridgeStatus['checkpoint'] {
  const committed = latest(reports.map(({ lastCommitAt }) => lastCommitAt))
  const oldest = latest(reports.map(({ oldestUnsettledSeconds }) => oldestUnsettledSeconds))
  if (committed === undefined && oldest === undefined) return undefined
  return {
    ...(committed !== undefined && { lastCommittedAt: time(committed) }),
    ...(oldest !== undefined && { oldestUnsettledSeconds: Math.round(oldest) }),
  }
}

export function lastErrorOf(reports: readonly RuntimeReport[]): StreamBridgeStatus['lastError'] {
  const [newest] = reports.flatMap(({ errors }) => errors).sort((a, b) => b.lastAt - a.lastAt)
  if (newest === undefined) return undefined
  const { component, count } = newest
  return {
    component,
    count,
    reason: clip(newest.reason),
    message: clip(newest.message),
    firstAt: time(newest.firstAt),
    lastAt: time(newest.lastAt),
  }
}

/** What each step did, over the processes that run now. */
function stepsOf(reports: readonly RuntimeReport[]): StreamBridgeStatus['steps'] {
  const [first] = reports
  return first?.steps?.map(({ step }) => {
    const figures = reports.flatMap(({ steps = [] }) => steps.find((one) => one.step === step) ?? [])
    return {
      step: clip(step),
      in: sum(figures, (one) => one.in),
      filtered: sum(figures, (one) => one.filtered),
      failed: sum(figures, (one) => one.failed),
    }
  })
}

export type Flow = Pick<StreamBridgeStatus, 'throughput' | 'checkpoint' | 'steps'>

/** Nothing where no replica has reported: absent is unknown. */
export function flowOf(reports: readonly RuntimeReport[]): Flow {
  if (reports.length === 0) return {}
  const checkpoint = checkpointOf(reports)
  const steps = stepsOf(reports)
  return {
    throughput: {
      inPerSecond: rate(sum(reports, ({ rates }) => rates.in)),
      outPerSecond: rate(sum(reports, ({ rates }) => rates.out)),
    },
    ...(checkpoint && { checkpoint }),
    ...(steps && { steps }),
  }
}
