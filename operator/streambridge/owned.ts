/** An object that was made, or is to be made, for a bridge. */
import type { KubeObject, Resource } from '../kube/api.ts'

/** An object with the resource it belongs to. */
export interface Child {
  readonly resource: Resource
  readonly object: KubeObject
}

/** Ours only if this very StreamBridge controls it: one of the same name that is gone had another UID. */
export const isOwnedBy = (object: KubeObject, uid: string): boolean =>
  (object.metadata.ownerReferences ?? []).some((owner) => owner.controller === true && owner.uid === uid)
