/** Everything the conditions are judged from, put together once. Pure. */
import type { RuntimeReport } from '../../crds/schema/report.ts'
import type { Deployment } from '../kube/resources.ts'
import { deployments } from '../kube/resources.ts'
import type { Bridge } from './bridge.ts'
import type { Finding } from './checks.ts'
import { configHashOf } from './desired/config-map.ts'
import type { Instant, Observed, ObservedPod } from './observed.ts'
import type { Child } from './owned-kinds.ts'
import type { Rejection } from './plan.ts'
import { type Replicas, standing } from './replicas.ts'

export interface StatusInput {
  readonly observed: Observed
  /** Set while the StreamBridge is being deleted: what is waited for. */
  readonly leaving?: string
  readonly findings: readonly Finding[]
  readonly replicas: Replicas
  /** Objects that are about to be written. */
  readonly writes: readonly Child[]
  readonly rejection: Rejection | undefined
  readonly now: Instant
}

export interface Situation {
  readonly bridge: Bridge | undefined
  readonly leaving: string | undefined
  readonly findings: readonly Finding[]
  readonly rejection: Rejection | undefined
  readonly paused: boolean
  readonly replicas: Replicas
  readonly deployment: Deployment | undefined
  /** The Deployment itself is about to change. */
  readonly changing: boolean
  /** Replicas that are meant to stay. */
  readonly pods: readonly ObservedPod[]
  /** Their reports that are not too old. */
  readonly reports: readonly RuntimeReport[]
  /** Those of them that run the present spec. */
  readonly current: readonly RuntimeReport[]
}

export function situationOf(input: StatusInput): Situation {
  const { observed, leaving, findings, replicas, writes, rejection, now } = input
  const { parsed, deployment, interval } = observed
  const bridge = parsed.kind === 'valid' ? parsed.bridge : undefined
  const pods = standing(observed.pods)
  const reports = pods.flatMap(({ seen }) =>
    seen !== undefined && now.monotonic - seen.at <= 3 * interval ? [seen.report] : [],
  )
  const hash = bridge && configHashOf(bridge)
  return {
    bridge,
    leaving,
    findings,
    rejection,
    paused: bridge?.spec.lifecycle.desiredState === 'Paused',
    replicas,
    deployment,
    changing: writes.some(({ resource }) => resource === deployments),
    pods,
    reports,
    current: reports.filter(({ configHash }) => configHash === hash),
  }
}

/** Why a replica does not run, with its name. */
export function podTrouble(pods: readonly ObservedPod[]): string | undefined {
  const troubled = pods.find(({ problem }) => problem !== undefined)
  return troubled && `pod ${troubled.name}: ${troubled.problem}`
}
