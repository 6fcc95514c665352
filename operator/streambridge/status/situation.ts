/** Everything the conditions are judged from, put together once. Pure. */
import type { RuntimeReport } from '../../../crds/schema/report.ts'
import type { Bridge } from '../bridge.ts'
import type { Finding } from '../checks.ts'
import { configHashOf } from '../desired/config-map.ts'
import type { Instant, Observed, ObservedPod, Rejection } from '../observe/observed.ts'
import { nonTerminating, reportsOf } from '../observe/reports.ts'
import type { Child } from '../owned.ts'
import type { Replicas } from '../scaling/replicas.ts'
import type { Workload } from '../workload/contract.ts'
import { noRollout, type Rollout } from '../workload/rollout.ts'
import { workloadKind } from '../workload/workload.ts'

export interface StatusInput {
  readonly observed: Observed
  /** Set while the StreamBridge is being deleted: what is waited for. */
  readonly finalizing?: string
  readonly findings: readonly Finding[]
  readonly replicas: Replicas
  /** Objects that are about to be written. */
  readonly writes: readonly Child[]
  readonly rejection: Rejection | undefined
  /** Milliseconds for which a partition was read by no replica; undefined while each is. */
  readonly unread: number | undefined
  readonly now: Instant
}

export interface Situation {
  readonly bridge: Bridge | undefined
  readonly finalizing: string | undefined
  readonly findings: readonly Finding[]
  readonly rejection: Rejection | undefined
  readonly unread: number | undefined
  readonly paused: boolean
  readonly replicas: Replicas
  readonly workload: Workload | undefined
  /** Of the workload, where there is one. */
  readonly rollout: Rollout
  /** The workload itself is about to change. */
  readonly changing: boolean
  /** Replicas that are meant to stay. */
  readonly pods: readonly ObservedPod[]
  /** Their reports that are not too old. */
  readonly reports: readonly RuntimeReport[]
  /** Those of them that run the present spec. */
  readonly current: readonly RuntimeReport[]
}

export function situationOf(input: StatusInput): Situation {
  const { observed, finalizing, findings, replicas, writes, rejection, unread, now } = input
  const { parsed, workload, interval } = observed
  const bridge = parsed.kind === 'valid' ? parsed.bridge : undefined
  const pods = nonTerminating(observed.pods)
  const reports = reportsOf(pods, interval, now)
  const hash = bridge && configHashOf(bridge)
  return {
    bridge,
    finalizing,
    findings,
    rejection,
    unread,
    paused: bridge?.spec.lifecycle.desiredState === 'Paused',
    replicas,
    workload,
    rollout: workload?.rollout ?? noRollout,
    changing: writes.some(({ resource }) => resource === workloadKind.resource),
    pods,
    reports,
    current: reports.filter(({ configHash }) => configHash === hash),
  }
}
