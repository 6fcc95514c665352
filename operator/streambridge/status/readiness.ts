/** The conditions Ready, Stalled and Reconciling, and the phase. Pure. */
import { sinkOf, sourceOf } from '../../../bridge-runtime/connectors/catalog.ts'
import type { ConditionType } from '../../../crds/schema/conditions.ts'
import type { Phase } from '../../../crds/schema/status.ts'
import type { Bridge } from '../bridge.ts'
import {
  available,
  checkpointHealthy,
  configValid,
  connected,
  credentialsResolved,
  isFinished,
  deadLettering,
  notReported,
  scalingActive,
  transformReady,
  type Verdict,
  verdict,
} from './conditions.ts'
import { podTrouble } from '../observe/pod-trouble.ts'
import { noProgress } from './progress.ts'
import { ownedPartitions } from '../observe/reports.ts'
import type { Situation } from './situation.ts'

export type Verdicts = Readonly<Record<ConditionType, Verdict>>
type Parts = Omit<Verdicts, 'Ready' | 'Reconciling' | 'Stalled'>

/** The first partition that is halted until a person acts. */
function halted({ reports }: Situation): Verdict | undefined {
  const waiting = ownedPartitions(reports).flatMap(({ partition, halted }) =>
    halted ? [{ partition, ...halted }] : [],
  )
  const [first] = waiting
  if (first === undefined) return undefined
  const others = waiting.length > 1 ? ` (and ${waiting.length - 1} more partitions)` : ''
  const reason = first.reason === 'DataGap' ? 'DataGap' : 'StoppedAtRecord'
  return verdict('False', reason, `partition ${first.partition} waits: ${first.message}${others}`)
}

/** No replica is meant to run. */
function scaledToZero({ paused, replicas }: Situation): Verdict | undefined {
  if (paused) return verdict('False', 'Paused', 'set lifecycle.desiredState to Running to go on')
  if (replicas.wanted > 0) return undefined
  if (replicas.reason === 'Idle') return verdict('True', 'Idle', replicas.message)
  return verdict('False', 'NoReplicas', 'spec.replicas is 0: nothing runs')
}

const firstNotTrue = (parts: readonly Verdict[]): Verdict | undefined => parts.find(({ status }) => status !== 'True')

/** Without a report: what keeps the replicas from starting, or that nothing is known yet. */
function withoutReport(situation: Situation, parts: Parts): Verdict {
  const blocked = firstNotTrue([parts.ConfigValid, parts.CredentialsResolved])
  if (blocked !== undefined) return { ...blocked, status: 'False' }
  const { Available } = parts
  const refused = Available.status === 'False' && Available.reason !== 'RollingOut' && situation.pods.length === 0
  if (refused) return Available
  const trouble = podTrouble(situation.pods)
  return trouble === undefined ? notReported(situation) : verdict('False', trouble.reason, trouble.message)
}

/** What stops records although replicas run: the first that applies. */
function obstacle(situation: Situation, parts: Parts): Verdict | undefined {
  return (
    firstNotTrue([parts.SourceConnected, parts.SinkConnected, parts.TransformReady]) ??
    halted(situation) ??
    firstNotTrue([parts.CheckpointHealthy]) ??
    deadLettering(situation) ??
    noProgress(situation)
  )
}

/** The replicas that report do not run the present spec. */
function outdated(
  { reports, current }: Situation,
  { ConfigValid, CredentialsResolved, Available }: Parts,
): Verdict | undefined {
  const onlyAdding = current.length === reports.length
  if (current.length > 0 && (onlyAdding || Available.reason !== 'RollingOut')) return undefined
  const cause = firstNotTrue([ConfigValid, CredentialsResolved, Available])
  return cause === undefined ? undefined : { ...cause, status: 'False' }
}

/** Every replica with the present spec has read its source to its end: nothing more will come. */
function completed({ current }: Situation): Verdict | undefined {
  if (current.length === 0 || !current.every(isFinished)) return undefined
  return verdict('True', 'Completed', 'the source has ended, and all of its records are settled')
}

function flowing(bridge: Bridge, { pods }: Situation): Verdict {
  const source = sourceOf(bridge.spec.source)
  const sink = sinkOf(bridge.spec.sink)
  const name = (end: typeof source | typeof sink): string => `${end.type} ${end.definition.describe(end.config).name}`
  const trouble = podTrouble(pods)
  const suffix = trouble === undefined ? '' : `; ${trouble.message}`
  return verdict('True', 'Flowing', `records flow from ${name(source)} to ${name(sink)}${suffix}`)
}

function ready(situation: Situation, parts: Parts): Verdict {
  const { bridge, workload, reports, paused, finalizing } = situation
  if (finalizing !== undefined) return verdict('False', 'Deleting', finalizing)
  const zero = paused || workload !== undefined ? scaledToZero(situation) : undefined
  if (zero !== undefined) return zero
  if (bridge === undefined || reports.length === 0) return withoutReport(situation, parts)
  const obstructed = outdated(situation, parts) ?? obstacle(situation, parts)
  return obstructed ?? completed(situation) ?? flowing(bridge, situation)
}

/** kstatus: no progress until a person acts. */
function stalled(situation: Situation, parts: Parts): Verdict {
  const { ConfigValid, CredentialsResolved, Available, SourceConnected } = parts
  // A gap of the whole source is met before any partition is there that could be halted.
  const gap = SourceConnected.reason === 'DataGap' ? SourceConnected : undefined
  const waits = [ConfigValid, CredentialsResolved].find(({ status }) => status === 'False') ?? gap
  const conflict = Available.reason === 'NameConflict' ? Available : undefined
  const cause = situation.finalizing === undefined ? (waits ?? conflict ?? halted(situation)) : undefined
  return cause === undefined
    ? verdict('False', 'Reconciled', 'nothing waits for a person')
    : verdict('True', cause.reason, cause.message)
}

/** kstatus: the present spec is being rolled out. */
function reconciling(isStalled: boolean, { Available }: Parts, readyNow: Verdict): Verdict {
  if (isStalled) return verdict('False', 'Reconciled', 'a person has to act first')
  if (Available.status === 'False') return verdict('True', Available.reason, Available.message)
  if (readyNow.status === 'Unknown') return verdict('True', readyNow.reason, readyNow.message)
  return verdict('False', 'Reconciled', 'the cluster is as the spec says')
}

export function verdictsOf(situation: Situation): Verdicts {
  const parts: Parts = {
    ConfigValid: configValid(situation),
    CredentialsResolved: credentialsResolved(situation),
    SourceConnected: connected('source', situation),
    SinkConnected: connected('sink', situation),
    TransformReady: transformReady(situation),
    CheckpointHealthy: checkpointHealthy(situation),
    Available: available(situation),
    ScalingActive: scalingActive(situation),
  }
  const Ready = ready(situation, parts)
  const Stalled = stalled(situation, parts)
  return { Ready, ...parts, Reconciling: reconciling(Stalled.status === 'True', parts, Ready), Stalled }
}

/** No replica has reported. */
function phaseWithoutReport({ findings, workload }: Situation, { ConfigValid, Available, Ready }: Verdicts): Phase {
  if (ConfigValid.status === 'False' || ['NameConflict', 'WriteRefused'].includes(Available.reason)) return 'Failed'
  if (findings.length > 0 || workload === undefined) return 'Pending'
  return Ready.status === 'False' && Ready.reason !== 'RollingOut' ? 'Degraded' : 'Starting'
}

function phaseWithReports({ findings, rejection, pods }: Situation, { Ready }: Verdicts): Phase {
  if (findings.length > 0 || rejection !== undefined || podTrouble(pods) !== undefined) return 'Degraded'
  if (Ready.status === 'True') return Ready.reason === 'Completed' ? 'Completed' : 'Running'
  return Ready.reason === 'RollingOut' || Ready.status === 'Unknown' ? 'Starting' : 'Degraded'
}

export function phaseOf(situation: Situation, verdicts: Verdicts): Phase {
  const { paused, workload, reports, replicas, finalizing } = situation
  if (finalizing !== undefined) return 'Deleting'
  if (paused) return 'Paused'
  if (workload !== undefined && replicas.wanted === 0) return 'Idle'
  return reports.length === 0 ? phaseWithoutReport(situation, verdicts) : phaseWithReports(situation, verdicts)
}
