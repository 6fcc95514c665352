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
import { troubleOf } from './pod-trouble.ts'
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
  /** Milliseconds for which a partition was read by no replica; undefined while each is. */
  readonly unread: number | undefined
  readonly now: Instant
}

export interface Situation {
  readonly bridge: Bridge | undefined
  readonly leaving: string | undefined
  readonly findings: readonly Finding[]
  readonly rejection: Rejection | undefined
  readonly unread: number | undefined
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

/** What the replicas say that run now: a report that is too old, or of a process that has ended, is none. */
export const reportsOf = (pods: readonly ObservedPod[], interval: number, now: Instant): readonly RuntimeReport[] =>
  pods.flatMap((pod) =>
    pod.seen !== undefined && now.monotonic - pod.seen.at <= 3 * interval && troubleOf(pod) === undefined
      ? [pod.seen.report]
      : [],
  )

export function situationOf(input: StatusInput): Situation {
  const { observed, leaving, findings, replicas, writes, rejection, unread, now } = input
  const { parsed, deployment, interval } = observed
  const bridge = parsed.kind === 'valid' ? parsed.bridge : undefined
  const pods = standing(observed.pods)
  const reports = reportsOf(pods, interval, now)
  const hash = bridge && configHashOf(bridge)
  return {
    bridge,
    leaving,
    findings,
    rejection,
    unread,
    paused: bridge?.spec.lifecycle.desiredState === 'Paused',
    replicas,
    deployment,
    changing: writes.some(({ resource }) => resource === deployments),
    pods,
    reports,
    current: reports.filter(({ configHash }) => configHash === hash),
  }
}
