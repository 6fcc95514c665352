/** What the pods may do with the Kubernetes API: keep their Leases, which hold what the bridge remembers of its source, and often its positions. */
import { leaseNames } from '../../../crds/kit/lease-names.ts'
import type { Role, RoleBinding } from '../../kube/resources.ts'
import type { Bridge } from '../bridge.ts'
import { childMeta, childName } from './labels.ts'
import { serviceAccountNameOf } from './service-account.ts'

const rbac = 'rbac.authorization.k8s.io'

export const desiredRole = (bridge: Bridge): Role => ({
  apiVersion: `${rbac}/v1`,
  kind: 'Role',
  metadata: childMeta(bridge),
  rules: [
    // Its own, by name: not those of other bridges, nor the operator's. They are made by PUT, whose name RBAC sees.
    {
      apiGroups: ['coordination.k8s.io'],
      resources: ['leases'],
      resourceNames: leaseNames(bridge.name),
      verbs: ['get', 'create', 'update', 'delete'],
    },
    // A list has no name.
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['list'] },
  ],
})

export const desiredRoleBinding = (bridge: Bridge): RoleBinding => ({
  apiVersion: `${rbac}/v1`,
  kind: 'RoleBinding',
  metadata: childMeta(bridge),
  roleRef: { apiGroup: rbac, kind: 'Role', name: childName(bridge.name) },
  subjects: [{ kind: 'ServiceAccount', name: serviceAccountNameOf(bridge), namespace: bridge.namespace }],
})
