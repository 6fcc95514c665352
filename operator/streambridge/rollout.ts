/** How far the Deployment is. Pure. */
import type { Deployment } from '../kube/resources.ts'

export interface Rollout {
  readonly wanted: number
  readonly existing: number
  readonly updated: number
  readonly ready: number
  readonly available: number
  /** The figures speak of the present Deployment. */
  readonly observed: boolean
  /** Why pods cannot be made. */
  readonly refused: string | undefined
}

/** Before there is a Deployment. */
const noRollout: Rollout = {
  wanted: 0,
  existing: 0,
  updated: 0,
  ready: 0,
  available: 0,
  observed: false,
  refused: undefined,
}

const none = { replicas: 0, updatedReplicas: 0, readyReplicas: 0, availableReplicas: 0, observedGeneration: 0 }

export function rolloutOf(deployment: Deployment | undefined): Rollout {
  if (deployment === undefined) return noRollout
  const { spec, status, metadata } = deployment
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

/** All replicas run the present pod template, and no other does. */
export const isRolledOut = ({ observed, updated, existing, wanted }: Rollout): boolean =>
  observed && updated >= wanted && existing <= updated

/** Nothing is left to do. */
export const isSettled = ({ observed, ...counts }: Rollout): boolean =>
  observed && [counts.existing, counts.updated, counts.available].every((count) => count === counts.wanted)
