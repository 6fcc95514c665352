/** What a Deployment's status says of its pods, as kube-controller-manager writes it. Pure. */
import { time } from '../../kube/format/time.ts'
import type { Deployment, WorkloadCondition } from '../../kube/resources.ts'
import { limits, type RolloutCounts } from './rollout.ts'

type Status = NonNullable<Deployment['status']>

const conditionOf = (status: Status | undefined, type: string): WorkloadCondition | undefined =>
  status?.conditions?.find((condition) => condition.type === type)

/** When the counts last changed: a rollout without progress for too long has failed. */
function lastProgress({ status, metadata }: Deployment, counts: RolloutCounts, at: string): string {
  const moved =
    status?.observedGeneration !== metadata.generation ||
    status?.updatedReplicas !== counts.updatedReplicas ||
    status.readyReplicas !== counts.readyReplicas
  return moved ? at : (conditionOf(status, 'Progressing')?.lastUpdateTime ?? at)
}

function progressOf({ spec }: Deployment, counts: RolloutCounts, unchangedFor: number): string {
  const { replicas = 1, progressDeadlineSeconds = 600 } = spec
  const all = [counts.replicas, counts.updatedReplicas, counts.readyReplicas]
  if (all.every((count) => count === replicas)) return 'NewReplicaSetAvailable'
  return unchangedFor > progressDeadlineSeconds * 1_000 ? 'ProgressDeadlineExceeded' : 'ReplicaSetUpdated'
}

/** `now` in milliseconds since the epoch. */
export function deploymentStatus(deployment: Deployment, counts: RolloutCounts, now: number): Status {
  const { metadata, status, spec } = deployment
  const { replicas = 1 } = spec
  const at = time(now)
  const condition = (type: string, holds: boolean, reason: string): WorkloadCondition => {
    const value = holds ? 'True' : 'False'
    const earlier = conditionOf(status, type)
    const since = earlier?.status === value ? earlier.lastTransitionTime : undefined
    return { type, status: value, reason, lastTransitionTime: since ?? at }
  }
  const enough = counts.readyReplicas >= replicas - limits(deployment).unavailable
  const lastUpdateTime = lastProgress(deployment, counts, at)
  const progress = progressOf(deployment, counts, now - Date.parse(lastUpdateTime))
  return {
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
    ...counts,
    availableReplicas: counts.readyReplicas,
    unavailableReplicas: Math.max(0, replicas - counts.readyReplicas),
    conditions: [
      condition('Available', enough, enough ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable'),
      { ...condition('Progressing', progress !== 'ProgressDeadlineExceeded', progress), lastUpdateTime },
    ],
  }
}
