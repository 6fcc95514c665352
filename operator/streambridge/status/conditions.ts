/** One function per condition, except those that `readiness.ts` derives from these. Pure. */
import type { ConditionType } from '../../../crds/schema/conditions.ts'
import type { RuntimeReason } from '../../../crds/kit/reasons.ts'
import type { ReportedError, RuntimeReport } from '../../../crds/schema/report.ts'
import type { Reason } from '../reason.ts'
import { isRolledOut } from '../workload/rollout.ts'
import { workloadKind } from '../workload/workload.ts'
import { podTrouble } from '../observe/pod-trouble.ts'
import { wayOf } from '../desired/config-map.ts'
import type { Situation } from './situation.ts'

export interface Verdict {
  readonly status: 'True' | 'False' | 'Unknown'
  /** A reason of the operator, or the runtime's reason for its error. */
  readonly reason: Reason | RuntimeReason
  readonly message: string
}

export const verdict = (status: Verdict['status'], reason: Verdict['reason'], message: string): Verdict => ({
  status,
  reason,
  message,
})

const findingFor = (type: ConditionType, { findings }: Situation): Verdict | undefined =>
  findings.find(({ condition }) => condition === type)

/** Statuses with which the API server says that the object itself is at fault. */
const invalidObject = new Set([400, 422])

export function configValid(situation: Situation): Verdict {
  const finding = findingFor('ConfigValid', situation)
  if (finding !== undefined) return finding
  const { rejection } = situation
  if (rejection !== undefined && invalidObject.has(rejection.status))
    return verdict('False', 'InvalidSpec', `${rejection.kind} "${rejection.name}" was refused: ${rejection.message}`)
  return verdict('True', 'Accepted', 'the spec is in use')
}

export function credentialsResolved(situation: Situation): Verdict {
  const finding = findingFor('CredentialsResolved', situation)
  if (finding !== undefined) return finding
  if (situation.bridge === undefined) return verdict('Unknown', 'InvalidSpec', 'the spec is not understood')
  return verdict('True', 'Resolved', 'every Secret and key that is named exists')
}

/** Unknown, because no replica runs or none has reported. */
export function notReported({ paused, replicas, pods }: Situation): Verdict {
  if (paused) return verdict('Unknown', 'Paused', 'no replica runs')
  if (replicas.wanted === 0)
    return verdict('Unknown', replicas.reason === 'Idle' ? 'Idle' : 'NoReplicas', 'no replica runs')
  const unreported = pods.find((pod) => pod.reportError !== undefined)
  const detail = podTrouble(pods)?.message ?? (unreported && `pod ${unreported.name}: ${unreported.reportError}`)
  return verdict('Unknown', 'NotReported', detail ?? 'no replica has reported yet')
}

const errorsOf = (reports: readonly RuntimeReport[], component: ReportedError['component']): readonly ReportedError[] =>
  reports
    .flatMap(({ errors }) => errors)
    .filter((error) => error.component === component)
    .sort((a, b) => b.lastAt - a.lastAt)

/** The form that Kubernetes requires of a reason: one of another form, as a newer runtime may report, would make the whole status invalid. */
const reasonShape = /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/

export const failure = ({ reason, message }: ReportedError, otherwise: Reason = 'NotConnected'): Verdict =>
  verdict('False', reasonShape.test(reason) ? (reason as RuntimeReason) : otherwise, message)

/** Reports of replicas with the present spec; while there is none, of all replicas. */
const relevantReports = ({ reports, current }: Situation): readonly RuntimeReport[] =>
  current.length > 0 ? current : reports

const hasStarted = ({ state, errors }: RuntimeReport): boolean => state !== 'starting' || errors.length > 0

export const isFinished = ({ state }: RuntimeReport): boolean => state === 'finished'

export function connected(side: 'source' | 'sink', situation: Situation): Verdict {
  const reports = relevantReports(situation).filter(hasStarted)
  if (reports.length === 0) return notReported(situation)
  // A source that has ended is not connected any more, and needs no connection.
  const broken = reports.filter((report) => !report[side].connected && !isFinished(report))
  if (broken.length === 0) return verdict('True', 'Connected', `the ${side} is connected`)
  const [error] = errorsOf(broken, side)
  if (error !== undefined) return failure(error)
  const joining = `replica ${broken[0]?.replica} is not connected to the ${side} yet`
  // A replica that was just added does not make the others disconnected.
  if (broken.length < reports.length) return verdict('True', 'Connected', `${joining}; the others are`)
  return verdict('False', 'NotConnected', joining)
}

/** A record that a step cannot take does not count: it is set aside, or its partition waits, which Ready says. */
export function transformReady(situation: Situation): Verdict {
  const { bridge } = situation
  if (bridge !== undefined && Object.keys(wayOf(bridge.spec)).length === 0)
    return verdict('True', 'NoTransforms', 'records pass as they are')
  const reports = relevantReports(situation)
  if (reports.length === 0) return notReported(situation)
  const error = errorsOf(reports, 'transform').find(({ kind }) => kind !== 'poison')
  if (error !== undefined) return failure(error, 'TransformNotReady')
  return verdict('True', 'Transforming', 'the steps have what they need')
}

export function checkpointHealthy(situation: Situation): Verdict {
  const reports = relevantReports(situation)
  if (reports.length === 0) return notReported(situation)
  const [error] = errorsOf(reports, 'checkpoint')
  if (error !== undefined) return verdict('False', 'CommitFailing', error.message)
  if (reports.some(({ lastCommitAt }) => lastCommitAt !== undefined))
    return verdict('True', 'Committing', 'positions are committed')
  return verdict('True', 'NothingToCommit', 'no record was read yet')
}

/** While the dead-letter sink fails, the records behind are held up. */
export function deadLettering(situation: Situation): Verdict | undefined {
  const [error] = errorsOf(relevantReports(situation), 'deadLetter')
  return error && failure(error)
}

/** Why the workload is not written at all. */
function writeObstacle({ rejection, finalizing, workload }: Situation): Verdict | undefined {
  if (rejection !== undefined)
    return verdict('False', 'WriteRefused', `${rejection.kind} "${rejection.name}": ${rejection.message}`)
  if (finalizing !== undefined) return verdict('False', 'Deleting', finalizing)
  if (workload === undefined)
    return verdict('False', 'RollingOut', `the ${workloadKind.resource.kind} does not exist yet`)
  return undefined
}

/** Why a replica that was started is not ready. */
function unavailableBecause({ pods, reports }: Situation): Pick<Verdict, 'reason' | 'message'> {
  const trouble = podTrouble(pods)
  if (trouble !== undefined) return trouble
  const reason = 'ReplicasUnavailable'
  if (reports.some(({ errors }) => errors.length > 0))
    return { reason, message: 'see SourceConnected and SinkConnected' }
  const stuck = reports.some(({ partitions }) => partitions.some(({ still }) => still !== undefined))
  return { reason, message: stuck ? 'records stand still, see Ready' : 'the others are starting' }
}

export function available(situation: Situation): Verdict {
  const obstacle = findingFor('Available', situation) ?? writeObstacle(situation)
  const { workload, changing, pods } = situation
  if (obstacle !== undefined || workload === undefined) return obstacle as Verdict
  const { rollout } = workload
  const { refused, wanted, available: count } = rollout
  if (refused !== undefined) return verdict('False', 'ReplicasUnavailable', refused)
  if (changing || !isRolledOut(rollout))
    return verdict('False', 'RollingOut', podTrouble(pods)?.message ?? 'replicas are being started or replaced')
  if (count >= wanted) return verdict('True', 'RolloutComplete', 'all replicas run the present spec')
  const { reason, message } = unavailableBecause(situation)
  return verdict('False', reason, `${count} of ${wanted} replicas are available: ${message}`)
}

export function scalingActive({ replicas, paused, bridge }: Situation): Verdict {
  const active =
    !paused && replicas.reason !== 'Deleting' && bridge !== undefined && replicas.reason !== 'MetricsUnavailable'
  return verdict(active ? 'True' : 'False', replicas.reason, replicas.message)
}
