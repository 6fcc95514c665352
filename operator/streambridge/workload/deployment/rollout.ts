/** How far a Deployment is. Pure. */
import type { Deployment } from '../../../kube/resources.ts'
import type { Rollout } from '../rollout.ts'

const none = { replicas: 0, updatedReplicas: 0, readyReplicas: 0, availableReplicas: 0, observedGeneration: 0 }

export function rolloutOf({ spec, status, metadata }: Deployment): Rollout {
  const counts = { ...none, ...status }
  const failure = status?.conditions?.find(({ type }) => type === 'ReplicaFailure')
  return {
    wanted: spec.replicas ?? 1,
    existing: counts.replicas,
    updated: counts.updatedReplicas,
    ready: counts.readyReplicas,
    available: counts.availableReplicas,
    observed: counts.observedGeneration >= (metadata.generation ?? 0),
    refused: failure?.status === 'True' ? (failure.message ?? 'pods are refused') : undefined,
  }
}
