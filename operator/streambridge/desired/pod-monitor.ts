/** Scraping by the Prometheus operator. */
import type { PodMonitor } from '../../kube/resources.ts'
import type { Bridge } from '../bridge.ts'
import { childMeta, podLabels } from './labels.ts'

export const desiredPodMonitor = (bridge: Bridge): PodMonitor | undefined => {
  const { enabled, interval } = bridge.spec.observability.podMonitor
  if (!enabled) return undefined
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PodMonitor',
    metadata: childMeta(bridge),
    spec: {
      selector: { matchLabels: podLabels(bridge.name) },
      podMetricsEndpoints: [{ port: 'http', path: '/metrics', interval }],
    },
  }
}
