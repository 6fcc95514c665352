/** The whole in-process cluster: its API server, Deployment controller and kubelet. */
import type { Clock } from '../../bridge-runtime/core/clock.ts'
import type { Logger } from '../../bridge-runtime/observability/logger.ts'
import { createEmbeddedKube, type EmbeddedKube } from './api-server/api.ts'
import { startDeployments } from './deployments/deployments.ts'
import { startLocalPods } from './kubelet/kubelet.ts'
import type { PodRunner } from './kubelet/pod-runner.ts'

export interface EmbeddedClusterOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Logger
  readonly runner: PodRunner
  /** Milliseconds between two reads of Secrets and ConfigMaps behind the pods' volumes. Default 1,000. */
  readonly syncMilliseconds?: number
  /** Milliseconds before the second restart of a container in a row, and the longest wait. Default 10 s and 5 min. */
  readonly crashBackoff?: { readonly initial: number; readonly max: number }
}

export interface EmbeddedCluster {
  readonly api: EmbeddedKube
  /** Ends every pod within its grace period. */
  stop(): Promise<void>
}

export function startEmbeddedCluster(options: EmbeddedClusterOptions): EmbeddedCluster {
  const { clock, syncMilliseconds = 1_000, crashBackoff = { initial: 10_000, max: 300_000 } } = options
  const api = createEmbeddedKube({ clock })
  const deployments = startDeployments({ ...options, api: api.as('kube-controller-manager') })
  const pods = startLocalPods({ ...options, api: api.as('kubelet'), syncMilliseconds, crashBackoff })
  return {
    api,
    async stop() {
      await deployments.stop()
      await pods.stop()
    },
  }
}
