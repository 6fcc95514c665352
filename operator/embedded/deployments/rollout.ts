/** What a Deployment does next about its pods, as kube-controller-manager would decide. Pure. */
import { hashOf } from '../../kube/format/canonical.ts'
import type { Deployment, Pod } from '../../kube/resources.ts'

export const templateHashLabel = 'pod-template-hash'

export interface RolloutStep {
  readonly create: number
  readonly remove: readonly Pod[]
}

export interface RolloutCounts {
  readonly replicas: number
  readonly updatedReplicas: number
  readonly readyReplicas: number
}

/** Ten letters that differ when the template differs. */
export const templateHash = ({ spec }: Deployment): string => hashOf(spec.template).slice(0, 10)

export const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false

const isActive = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp === undefined && status?.phase !== 'Failed' && status?.phase !== 'Succeeded'

const isCurrent =
  (hash: string) =>
  ({ metadata }: Pod): boolean =>
    metadata.labels?.[templateHashLabel] === hash

/** A number of pods, or a percentage of the replicas. */
function amount(value: number | string | undefined, replicas: number, round: (exact: number) => number): number {
  if (typeof value !== 'string') return value ?? 0
  return round((replicas * Number(value.replace('%', ''))) / 100)
}

/** Pods that are not ready first, then the newest. */
const byReadiness = (left: Pod, right: Pod): number =>
  Number(isReady(left)) - Number(isReady(right)) ||
  (right.metadata.creationTimestamp ?? '').localeCompare(left.metadata.creationTimestamp ?? '') ||
  right.metadata.name.localeCompare(left.metadata.name)

const first = (pods: readonly Pod[], count: number): readonly Pod[] =>
  [...pods].sort(byReadiness).slice(0, Math.max(0, count))

export function limits({ spec }: Deployment): { readonly surge: number; readonly unavailable: number } {
  const replicas = spec.replicas ?? 1
  const rolling = spec.strategy?.rollingUpdate
  const surge = amount(rolling?.maxSurge, replicas, Math.ceil)
  const unavailable = Math.min(replicas, amount(rolling?.maxUnavailable, replicas, Math.floor))
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable }
}

/** The next step of a rolling update, of scaling, or of replacing pods that are gone. Without a difference it does nothing. */
export function rolloutStep(deployment: Deployment, pods: readonly Pod[]): RolloutStep {
  const replicas = deployment.spec.replicas ?? 1
  const current = isCurrent(templateHash(deployment))
  const active = pods.filter(isActive)
  const fresh = active.filter(current)
  const old = active.filter((pod) => !current(pod))
  const surplus = first(fresh, fresh.length - replicas)
  const missing = Math.max(0, replicas - fresh.length)
  if (deployment.spec.strategy?.type === 'Recreate') {
    const allGone = pods.every(current)
    return { create: allGone ? missing : 0, remove: [...old, ...surplus] }
  }
  const { surge, unavailable } = limits(deployment)
  const least = replicas - unavailable
  const unreadyFresh = fresh.filter((pod) => !isReady(pod)).length
  const removable = Math.max(0, active.length - least - unreadyFresh)
  const unready = first(
    old.filter((pod) => !isReady(pod)),
    removable,
  )
  const spare = active.filter(isReady).length - least
  const ready = first(old.filter(isReady), Math.min(spare, removable - unready.length))
  const room = Math.max(0, replicas + surge - active.length)
  return { create: Math.min(missing, room), remove: [...unready, ...ready, ...surplus] }
}

export function countPods(deployment: Deployment, pods: readonly Pod[]): RolloutCounts {
  const active = pods.filter(isActive)
  return {
    replicas: active.length,
    updatedReplicas: active.filter(isCurrent(templateHash(deployment))).length,
    readyReplicas: active.filter(isReady).length,
  }
}
