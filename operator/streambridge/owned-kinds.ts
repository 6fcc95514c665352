/** The kinds we make for a bridge, in the order they are applied: what a pod needs before the pod. */
import type { KubeObject, Resource } from '../kube/api.ts'
import {
  configMaps,
  deployments,
  podDisruptionBudgets,
  podMonitors,
  roleBindings,
  roles,
  serviceAccounts,
} from '../kube/resources.ts'

/** One object of each, under the same name. The ConfigMap's name ends with its hash, so there may be several. */
export const singleKinds: readonly Resource[] = [
  serviceAccounts,
  roles,
  roleBindings,
  podDisruptionBudgets,
  deployments,
]

/** An object with the resource it belongs to. */
export interface Child {
  readonly resource: Resource
  readonly object: KubeObject
}

const order: readonly Resource[] = [
  serviceAccounts,
  roles,
  roleBindings,
  configMaps,
  podDisruptionBudgets,
  deployments,
  podMonitors,
]

export const inOrder = (children: readonly Child[]): readonly Child[] =>
  [...children].sort((a, b) => order.indexOf(a.resource) - order.indexOf(b.resource))

/** Ours only if this very StreamBridge controls it: one of the same name that is gone had another UID. */
export const isOwnedBy = (object: KubeObject, uid: string): boolean =>
  (object.metadata.ownerReferences ?? []).some((owner) => owner.controller === true && owner.uid === uid)
