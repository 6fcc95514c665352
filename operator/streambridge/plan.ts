/** The plan for what was observed: objects to write and to remove, status and Events, when to reconcile again. Pure. */
import { sourceOf } from '../../bridge-runtime/connectors/catalog.ts'
import type { StreamBridgeStatus } from '../../crds/schema/status.ts'
import { configMaps } from '../kube/resources.ts'
import type { Allowed } from './allowed.ts'
import { differing } from './apply-needed.ts'
import type { Bridge } from './bridge.ts'
import { type Finding, findingsOf } from './checks.ts'
import { hashOf } from '../kube/format/canonical.ts'
import { objectsAfterWorkload, objectsBeforeWorkload } from './desired/objects.ts'
import { type Finalization, finalizationOf, withDrainFinalizer } from './finalization.ts'
import type { Instant, Observed, Rejection } from './observe/observed.ts'
import { nonTerminating, reportsOf } from './observe/reports.ts'
import { type Child, isOwnedBy } from './owned.ts'
import { eventsOf, type PlannedEvent } from './status/events.ts'
import { isUnread, unreadSince } from './status/progress.ts'
import { type Replicas, replicasFor } from './scaling/replicas.ts'
import type { ScalingMemory } from './scaling/policy.ts'
import { statusOf } from './status/status.ts'
import { isSettled } from './workload/rollout.ts'
import { workloadKind } from './workload/workload.ts'

export interface PlanContext {
  readonly now: Instant
  /** The runtime image where the spec names none. */
  readonly image: string
  readonly allowed: Allowed
  readonly memory: ScalingMemory | undefined
  /** Since when a partition is read by no replica, on the monotonic clock, as the last plan said. */
  readonly unreadSince?: number | undefined
  /** Set when this plan was tried already. */
  readonly rejection?: Rejection | undefined
}

export interface Plan {
  /** What the finalizers of the StreamBridge become, before all else; undefined: as they are. */
  readonly finalizers: readonly string[] | undefined
  /** Each differs from what is there. In order. */
  readonly apply: readonly Child[]
  /** Ours, no longer wanted. */
  readonly remove: readonly Child[]
  readonly status: StreamBridgeStatus
  readonly events: readonly PlannedEvent[]
  /** Milliseconds until the next reconcile. */
  readonly next: number
  /** Everything is read again in the next reconcile. */
  readonly reread: boolean
  readonly memory: ScalingMemory | undefined
  readonly unreadSince: number | undefined
}

/** Milliseconds until a blocked bridge is reconciled again without a change: a person has to act first. */
const blockedInterval = 10_000
/** Milliseconds until a refused write is tried again. */
const rejectedInterval = 30_000

/** All that should exist for the bridge, in the order in which it is applied. */
export function desiredObjects(bridge: Bridge, observed: Observed, image: string, replicas: number): readonly Child[] {
  const checksums = [...observed.secrets].map(([name, view]) => [name, view.kind === 'found' ? view.checksum : null])
  const { resource, desired } = workloadKind
  const object = desired({ bridge, image: bridge.spec.image ?? image, replicas, secretsHash: hashOf(checksums) })
  return [
    ...objectsBeforeWorkload(bridge),
    { resource, object },
    ...(observed.podMonitors ? objectsAfterWorkload(bridge) : []),
  ]
}

/** A missing Secret keeps pods from starting; it does not keep a pause from stopping them. */
const blocks = (finding: Finding, bridge: Bridge): boolean =>
  finding.condition !== 'CredentialsResolved' || bridge.spec.lifecycle.desiredState === 'Running'

/** Ours, and not wanted any more. A previous configuration stays as long as a pod or a rollout may need it. */
function unwanted(observed: Observed, bridge: Bridge, wanted: readonly Child[], changing: boolean): readonly Child[] {
  const { workload } = observed
  const settled = workload !== undefined && isSettled(workload.rollout) && !changing
  const mounted = new Set(observed.pods.flatMap((pod) => pod.configMaps))
  const isWanted = (other: Child): boolean =>
    wanted.some(
      ({ resource, object }) => resource === other.resource && object.metadata.name === other.object.metadata.name,
    )
  const isNeeded = ({ resource, object }: Child): boolean =>
    resource === configMaps && (!settled || mounted.has(object.metadata.name))
  return observed.children.filter(
    (other) => isOwnedBy(other.object, bridge.uid) && !isWanted(other) && !isNeeded(other),
  )
}

/** The replicas stay as they are while the spec cannot be used. */
function heldReplicas(observed: Observed, memory: ScalingMemory | undefined): Replicas {
  const wanted = observed.workload?.rollout.wanted ?? 0
  return { wanted, reason: 'MetricsUnavailable', message: 'held until the spec can be used', memory }
}

const noReplicas = (memory: ScalingMemory | undefined): Replicas => ({
  wanted: 0,
  reason: 'Deleting',
  message: 'the StreamBridge is being deleted',
  memory,
})

type Writes = Pick<Plan, 'finalizers' | 'apply' | 'remove'>

const noWrites: Writes = { finalizers: undefined, apply: [], remove: [] }

function writesFor(observed: Observed, bridge: Bridge, image: string, replicas: number): Writes {
  const wanted = desiredObjects(bridge, observed, image, replicas)
  const apply = differing(wanted, observed.children)
  const remove = unwanted(observed, bridge, wanted, apply.length > 0)
  return { finalizers: withDrainFinalizer(observed), apply, remove }
}

/** A workload keeps running, and is drained when the bridge is deleted. */
const writesWhileBlocked = (observed: Observed): Writes =>
  observed.workload === undefined ? noWrites : { ...noWrites, finalizers: withDrainFinalizer(observed) }

function nextReconcile(interval: number, blocked: boolean, rejection: Rejection | undefined): number {
  if (rejection !== undefined) return rejectedInterval
  return blocked ? Math.min(interval, blockedInterval) : interval
}

const isWriting = ({ finalizers, apply, remove }: Writes): boolean =>
  finalizers !== undefined || apply.length + remove.length > 0

function planForFinalization(
  observed: Observed,
  finalization: Finalization,
  { now, memory, rejection, allowed }: PlanContext,
): Plan {
  const { message, remove, finalizers, next } = finalization
  const replicas = noReplicas(memory)
  const findings = findingsOf(observed, allowed)
  const unread = undefined
  const status = statusOf({ observed, finalizing: message, findings, replicas, writes: [], rejection, unread, now })
  const pause = rejection === undefined ? (next ?? observed.interval) : rejectedInterval
  const reread = next !== undefined
  return { finalizers, apply: [], remove, status, events: [], next: pause, reread, memory, unreadSince: undefined }
}

function unreadSinceOf(observed: Observed, bridge: Bridge | undefined, { now, unreadSince: before }: PlanContext) {
  const partitioned = bridge !== undefined && sourceOf(bridge.spec.source).definition.partitioned
  const reports = reportsOf(nonTerminating(observed.pods), observed.interval, now)
  return unreadSince(isUnread(reports, partitioned), before, now.monotonic)
}

export function planFor(observed: Observed, context: PlanContext): Plan {
  const { now, image, allowed, memory, rejection } = context
  const finalization = finalizationOf(observed, now.wall)
  if (finalization !== undefined) return planForFinalization(observed, finalization, context)

  const { parsed, interval } = observed
  const findings = findingsOf(observed, allowed)
  const bridge = parsed.kind === 'valid' ? parsed.bridge : undefined
  const blocked = bridge === undefined || findings.some((finding) => blocks(finding, bridge))

  const replicas = blocked ? heldReplicas(observed, memory) : replicasFor(observed, bridge, memory, now)
  const writes = blocked ? writesWhileBlocked(observed) : writesFor(observed, bridge, image, replicas.wanted)
  const since = unreadSinceOf(observed, bridge, context)
  const unread = since === undefined ? undefined : now.monotonic - since
  const status = statusOf({ observed, findings, replicas, writes: writes.apply, rejection, unread, now })
  return {
    ...writes,
    status,
    events: eventsOf({ observed, writes: rejection ? [] : writes.apply, status, replicas }),
    next: nextReconcile(interval, blocked, rejection),
    reread: isWriting(writes),
    memory: replicas.memory,
    unreadSince: since,
  }
}
