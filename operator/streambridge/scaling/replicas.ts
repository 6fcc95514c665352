/** How many replicas the bridge should have now, in each scaling mode. Pure. */
import type { Reason } from '../reason.ts'
import type { Bridge } from '../bridge.ts'
import { configHashOf } from '../desired/config-map.ts'
import type { Instant, Observed } from '../observe/observed.ts'
import { nonTerminating } from '../observe/reports.ts'
import { isSettled } from '../workload/rollout.ts'
import { decideReplicas } from './decide.ts'
import { type Load, loadOf } from './load.ts'
import { policyOf, type ScalingMemory } from './policy.ts'

export interface Replicas {
  readonly wanted: number
  readonly reason: Reason
  readonly message: string
  readonly memory: ScalingMemory | undefined
}

/** The load, if every wanted replica has answered just now, with the present spec. */
function presentLoad({ pods, workload }: Observed, bridge: Bridge): Load {
  const staying = nonTerminating(pods)
  const unreported = staying.find(({ reportError, seen }) => reportError !== undefined || seen === undefined)
  if (unreported !== undefined)
    return { kind: 'unknown', reason: `${unreported.name}: ${unreported.reportError ?? 'no report'}` }
  const wanted = workload?.rollout.wanted ?? 0
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
  const rollout = observed.workload?.rollout
  const decision = decideReplicas(policyOf(scaling), memory, {
    now: now.monotonic,
    current: rollout?.wanted,
    settled: rollout !== undefined && isSettled(rollout),
    wasIdle: observed.stored.status?.phase === 'Idle',
    load: presentLoad(observed, bridge),
  })
  return { ...decision, wanted: decision.replicas }
}
