/** How many replicas the bridge should have now, whatever decides it. Pure. */
import type { Reason } from './checks.ts'
import type { Bridge } from './bridge.ts'
import { configHashOf } from './desired/config-map.ts'
import type { Instant, Observed, ObservedPod } from './observed.ts'
import { isSettled, rolloutOf } from './rollout.ts'
import { decideReplicas } from './scaling.ts'
import { type Load, loadOf } from './scaling-load.ts'
import { policyOf, type ScalingMemory } from './scaling-policy.ts'

export interface Replicas {
  readonly wanted: number
  readonly reason: Reason
  readonly message: string
  readonly memory: ScalingMemory | undefined
}

/** Replicas that are meant to stay. */
export const standing = (pods: readonly ObservedPod[]): readonly ObservedPod[] =>
  pods.filter(({ terminating }) => !terminating)

/** The load, if every wanted replica has answered just now, with the present spec. */
function presentLoad({ pods, deployment }: Observed, bridge: Bridge): Load {
  const staying = standing(pods)
  const silent = staying.find(({ silence, seen }) => silence !== undefined || seen === undefined)
  if (silent !== undefined) return { kind: 'unknown', reason: `${silent.name}: ${silent.silence ?? 'no report'}` }
  const wanted = deployment?.spec.replicas ?? 0
  if (staying.length < wanted) return { kind: 'unknown', reason: `${staying.length} of ${wanted} replicas exist` }
  const reports = staying.flatMap(({ seen }) => (seen === undefined ? [] : [seen.report]))
  const hash = configHashOf(bridge)
  if (reports.some(({ configHash }) => configHash !== hash))
    return { kind: 'unknown', reason: 'a replica still runs the previous spec' }
  return loadOf(reports)
}

export function replicasFor(
  observed: Observed,
  bridge: Bridge,
  memory: ScalingMemory | undefined,
  now: Instant,
): Replicas {
  const { scaling, lifecycle, replicas } = bridge.spec
  if (lifecycle.desiredState === 'Paused')
    return { wanted: 0, reason: 'Paused', message: 'lifecycle.desiredState is Paused', memory: undefined }
  if (scaling.mode === 'Fixed')
    return { wanted: replicas ?? 1, reason: 'FixedReplicas', message: 'spec.replicas decides', memory: undefined }
  if (scaling.mode === 'External') {
    const message = 'the scale subresource decides'
    return { wanted: replicas ?? 1, reason: 'ExternallyScaled', message, memory: undefined }
  }
  const decision = decideReplicas(policyOf(scaling), memory, {
    now: now.monotonic,
    current: observed.deployment?.spec.replicas,
    settled: observed.deployment !== undefined && isSettled(rolloutOf(observed.deployment)),
    wasIdle: observed.stored.status?.phase === 'Idle',
    load: presentLoad(observed, bridge),
  })
  return { ...decision, wanted: decision.replicas }
}
