/** What the pods may do with the Kubernetes API: keep leases, where their source needs them; otherwise nothing. */
import { sourceOf } from '../../../bridge-runtime/connectors/catalog.ts'
import type { Role, RoleBinding } from '../../kube/resources.ts'
import type { Bridge } from '../bridge.ts'
import { childMeta, childName } from './labels.ts'
import { serviceAccountNameOf } from './service-account.ts'

/** True when ownership and positions of the source live in Leases. */
export const needsLeases = (bridge: Bridge): boolean => sourceOf(bridge.spec.source).definition.leases

const rbac = 'rbac.authorization.k8s.io'

export const desiredRole = (bridge: Bridge): Role | undefined =>
  needsLeases(bridge)
    ? {
        apiVersion: `${rbac}/v1`,
        kind: 'Role',
        metadata: childMeta(bridge),
        rules: [
          {
            apiGroups: ['coordination.k8s.io'],
            resources: ['leases'],
            verbs: ['get', 'list', 'create', 'update', 'delete'],
          },
        ],
      }
    : undefined

export const desiredRoleBinding = (bridge: Bridge): RoleBinding | undefined =>
  needsLeases(bridge)
    ? {
        apiVersion: `${rbac}/v1`,
        kind: 'RoleBinding',
        metadata: childMeta(bridge),
        roleRef: { apiGroup: rbac, kind: 'Role', name: childName(bridge.name) },
        subjects: [{ kind: 'ServiceAccount', name: serviceAccountNameOf(bridge), namespace: bridge.namespace }],
      }
    : undefined
