/** Names, labels and owner of everything made for a bridge. */
import { apiVersion, kind } from '../../../crds/schema/streambridge.ts'
import type { ObjectMeta, OwnerReference } from '../../kube/api.ts'
import type { Bridge } from '../bridge.ts'

export const managedBy = { 'app.kubernetes.io/managed-by': 'streambridge' } as const
export const bridgeLabel = 'streambridge.dev/bridge'

/** On every object: hash of what was applied, so that what the spec no longer asks for is noticed and removed. */
export const appliedAnnotation = 'streambridge.dev/applied-hash'
/** On the pod template: a changed value restarts the pods one by one. */
export const secretsAnnotation = 'streambridge.dev/secrets-hash'

/** Selects the pods of one bridge. It must never change: the selector of a workload cannot. */
export const podLabels = (name: string): Readonly<Record<string, string>> => ({ ...managedBy, [bridgeLabel]: name })

export const selectorText = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([label, value]) => `${label}=${value}`)
    .join(',')

export const labelsOf = (bridge: Bridge): Readonly<Record<string, string>> => ({
  ...podLabels(bridge.name),
  'app.kubernetes.io/name': 'streambridge',
  'app.kubernetes.io/component': 'bridge',
  'app.kubernetes.io/instance': bridge.name,
})

/** Deterministic: a crash between two writes leaves nothing that is not found again. */
export const childName = (bridgeName: string): string => `${bridgeName}-bridge`

export const configMapName = (bridgeName: string, configHash: string): string =>
  `${childName(bridgeName)}-${configHash.slice(0, 10)}`

/** It does not block the owner's deletion: that would need rights on the finalizers of StreamBridges. */
export const ownerOf = (bridge: Bridge): OwnerReference => ({
  apiVersion,
  kind,
  name: bridge.name,
  uid: bridge.uid,
  controller: true,
  blockOwnerDeletion: false,
})

export const childMeta = (bridge: Bridge, name = childName(bridge.name)): ObjectMeta => ({
  name,
  namespace: bridge.namespace,
  labels: labelsOf(bridge),
  ownerReferences: [ownerOf(bridge)],
})
