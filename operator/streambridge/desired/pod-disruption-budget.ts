/** Drains of nodes take one replica of a bridge at a time. */
import type { PodDisruptionBudget } from '../../kube/resources.ts'
import type { Bridge } from '../bridge.ts'
import { childMeta, podLabels } from './labels.ts'

export const desiredPodDisruptionBudget = (bridge: Bridge): PodDisruptionBudget => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: childMeta(bridge),
  spec: { maxUnavailable: 1, selector: { matchLabels: podLabels(bridge.name) } },
})
