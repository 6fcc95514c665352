/** What runs the replicas of a bridge, whatever its kind in Kubernetes: all that is known of it outside this folder. */
import type { KubeObject, Resource } from '../../kube/api.ts'
import type { Bridge } from '../bridge.ts'
import type { Rollout } from './rollout.ts'

export interface WorkloadInput {
  readonly bridge: Bridge
  readonly image: string
  readonly replicas: number
  readonly secretsHash: string
}

/** A workload as it was observed. */
export interface Workload {
  readonly object: KubeObject
  readonly rollout: Rollout
}

/** What a write changes in a workload that exists. */
export interface WorkloadChange {
  /** The data of a Secret that it mounts. */
  readonly secrets: boolean
  /** The image or the arguments of its pods. */
  readonly program: boolean
}

/** A kind of workload. Pure. */
export interface WorkloadKind {
  /** There is one object of it for a bridge: watched, and deleted to stop the replicas. */
  readonly resource: Resource
  readonly desired: (input: WorkloadInput) => KubeObject
  /** `object`: of this kind, as it is stored. */
  readonly rolloutOf: (object: KubeObject) => Rollout
  readonly changeOf: (before: KubeObject, next: KubeObject) => WorkloadChange
}
