/** The kinds the operator reads or writes. Types hold only the fields we use; the API server keeps the rest. */
import { apiVersion, kind, plural, type StreamBridgeSpecInput } from '../../crds/schema/streambridge.ts'
import type { StreamBridgeStatus } from '../../crds/schema/status.ts'
import type { KubeObject, ObjectMeta, Resource } from './api.ts'
import type { PodSpec } from './pod-spec.ts'

/** As stored: an older operator's API may have written it, so parse `spec` before you trust it. */
export interface StreamBridge extends KubeObject {
  readonly spec: StreamBridgeSpecInput
  readonly status?: StreamBridgeStatus
}

export interface LabelSelector {
  readonly matchLabels: Readonly<Record<string, string>>
}

export interface WorkloadCondition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string
  readonly lastUpdateTime?: string
}

export interface PodTemplate {
  readonly metadata: Omit<ObjectMeta, 'name'>
  readonly spec: PodSpec
}

export interface Deployment extends KubeObject {
  readonly spec: {
    readonly replicas?: number
    readonly selector: LabelSelector
    readonly strategy?: {
      readonly type: 'RollingUpdate' | 'Recreate'
      readonly rollingUpdate?: {
        readonly maxSurge?: number | string
        readonly maxUnavailable?: number | string
      }
    }
    readonly minReadySeconds?: number
    readonly progressDeadlineSeconds?: number
    readonly revisionHistoryLimit?: number
    readonly template: PodTemplate
  }
  readonly status?: {
    readonly observedGeneration?: number
    readonly replicas?: number
    readonly updatedReplicas?: number
    readonly readyReplicas?: number
    readonly availableReplicas?: number
    readonly unavailableReplicas?: number
    readonly conditions?: readonly WorkloadCondition[]
  }
}

export interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string }
  readonly running?: { readonly startedAt?: string }
  readonly terminated?: {
    readonly exitCode: number
    readonly signal?: number
    readonly reason?: string
    readonly message?: string
    readonly startedAt?: string
    readonly finishedAt?: string
  }
}

export interface ContainerStatus {
  readonly name: string
  readonly ready: boolean
  readonly started?: boolean
  readonly restartCount: number
  readonly image?: string
  readonly imageID?: string
  readonly state?: ContainerState
  readonly lastState?: ContainerState
}

export interface Pod extends KubeObject {
  readonly spec: PodSpec
  readonly status?: {
    readonly phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown'
    readonly podIP?: string
    readonly startTime?: string
    readonly reason?: string
    readonly message?: string
    readonly conditions?: readonly WorkloadCondition[]
    readonly containerStatuses?: readonly ContainerStatus[]
  }
}

export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>
}

/** Values of `data` are base64. Never log or print one. */
export interface Secret extends KubeObject {
  readonly type?: string
  readonly data?: Readonly<Record<string, string>>
  readonly immutable?: boolean
}

export interface ServiceAccount extends KubeObject {
  readonly automountServiceAccountToken?: boolean
}

export interface Role extends KubeObject {
  readonly rules: readonly {
    readonly apiGroups: readonly string[]
    readonly resources: readonly string[]
    readonly resourceNames?: readonly string[]
    readonly verbs: readonly string[]
  }[]
}

export interface RoleBinding extends KubeObject {
  readonly roleRef: { readonly apiGroup: string; readonly kind: string; readonly name: string }
  readonly subjects?: readonly { readonly kind: string; readonly name: string; readonly namespace?: string }[]
}

export interface PodDisruptionBudget extends KubeObject {
  readonly spec: {
    readonly maxUnavailable?: number | string
    readonly minAvailable?: number | string
    readonly selector: LabelSelector
  }
}

export interface PodMonitor extends KubeObject {
  readonly spec: {
    readonly selector: LabelSelector
    readonly podMetricsEndpoints: readonly {
      readonly port: string
      readonly path?: string
      readonly interval?: string
    }[]
  }
}

export interface Lease extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string
    readonly leaseDurationSeconds?: number
    /** RFC 3339 with microseconds. For people: another machine's clock decides nothing here. */
    readonly acquireTime?: string
    readonly renewTime?: string
    readonly leaseTransitions?: number
  }
}

/** `events.k8s.io/v1`; kubectl shows these and the older `v1` ones alike. */
export interface EventObject extends KubeObject {
  readonly eventTime?: string
  readonly reportingController?: string
  readonly reportingInstance?: string
  readonly action?: string
  readonly type?: 'Normal' | 'Warning'
  readonly reason?: string
  readonly note?: string
  readonly regarding?: ObjectReference
  readonly series?: { readonly count: number; readonly lastObservedTime: string }
}

export interface ObjectReference {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string
  readonly name: string
  readonly uid?: string
  readonly resourceVersion?: string
}

export interface CustomResourceDefinition extends KubeObject {
  readonly spec: {
    readonly group: string
    readonly versions: readonly { readonly name: string; readonly served: boolean; readonly storage: boolean }[]
  }
  readonly status?: { readonly conditions?: readonly WorkloadCondition[] }
}

const namespaced = <T extends KubeObject>(apiVersion: string, kind: string, plural: string): Resource<T> => ({
  apiVersion,
  kind,
  plural,
  namespaced: true,
})

export const streamBridges = namespaced<StreamBridge>(apiVersion, kind, plural)
export const deployments = namespaced<Deployment>('apps/v1', 'Deployment', 'deployments')
export const pods = namespaced<Pod>('v1', 'Pod', 'pods')
export const configMaps = namespaced<ConfigMap>('v1', 'ConfigMap', 'configmaps')
export const secrets = namespaced<Secret>('v1', 'Secret', 'secrets')
export const serviceAccounts = namespaced<ServiceAccount>('v1', 'ServiceAccount', 'serviceaccounts')
export const roles = namespaced<Role>('rbac.authorization.k8s.io/v1', 'Role', 'roles')
export const roleBindings = namespaced<RoleBinding>('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings')
export const podDisruptionBudgets = namespaced<PodDisruptionBudget>(
  'policy/v1',
  'PodDisruptionBudget',
  'poddisruptionbudgets',
)
export const podMonitors = namespaced<PodMonitor>('monitoring.coreos.com/v1', 'PodMonitor', 'podmonitors')
export const leases = namespaced<Lease>('coordination.k8s.io/v1', 'Lease', 'leases')
export const events = namespaced<EventObject>('events.k8s.io/v1', 'Event', 'events')
export const customResourceDefinitions: Resource<CustomResourceDefinition> = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
}
