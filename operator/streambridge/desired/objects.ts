/** All that should exist for a bridge beside its workload, in the order in which it is applied. Pure. */
import type { KubeObject, Resource } from '../../kube/api.ts'
import {
  configMaps,
  podDisruptionBudgets,
  podMonitors,
  roleBindings,
  roles,
  serviceAccounts,
} from '../../kube/resources.ts'
import type { Bridge } from '../bridge.ts'
import type { Child } from '../owned.ts'
import { desiredConfigMap } from './config-map.ts'
import { desiredPodDisruptionBudget } from './pod-disruption-budget.ts'
import { desiredPodMonitor } from './pod-monitor.ts'
import { desiredRole, desiredRoleBinding } from './role.ts'
import { desiredServiceAccount } from './service-account.ts'

/** One object of each, under the same name. The ConfigMap's name ends with its hash, so there may be several. */
export const singleKinds: readonly Resource[] = [serviceAccounts, roles, roleBindings, podDisruptionBudgets]

const child = (resource: Resource, object: KubeObject | undefined): readonly Child[] =>
  object === undefined ? [] : [{ resource, object }]

/** What a pod needs before it starts. */
export const objectsBeforeWorkload = (bridge: Bridge): readonly Child[] => [
  ...child(serviceAccounts, desiredServiceAccount(bridge)),
  ...child(roles, desiredRole(bridge)),
  ...child(roleBindings, desiredRoleBinding(bridge)),
  ...child(configMaps, desiredConfigMap(bridge)),
  ...child(podDisruptionBudgets, desiredPodDisruptionBudget(bridge)),
]

export const objectsAfterWorkload = (bridge: Bridge): readonly Child[] => child(podMonitors, desiredPodMonitor(bridge))
