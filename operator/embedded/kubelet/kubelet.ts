/** The kubelet of the only node: runs the pods that carry its finalizer, and removes it when they have ended. */
import { errorText } from '../../../bridge-runtime/observability/logger.ts'
import { type KubeApi, KubeError } from '../../kube/api.ts'
import { type Pod, pods } from '../../kube/resources.ts'
import { startWatch } from '../../kube/watch.ts'
import { type LocalPod, type LocalPodOptions, runPod } from './pod.ts'

/** Keeps a deleted pod in the API until its process has ended. */
export const podFinalizer = 'streambridge.dev/local-process'

export interface LocalPodsOptions extends LocalPodOptions {
  readonly random: () => number
}

export interface LocalPods {
  /** Ends every pod within its grace period. */
  stop(): Promise<void>
}

/** Starts at once. Its api should be that of a field manager of its own. */
export function startLocalPods(options: LocalPodsOptions): LocalPods {
  const { api, clock, logger, random } = options
  const running = new Map<string, LocalPod>()

  const finish = async (uid: string, pod: Pod): Promise<void> => {
    await running.get(uid)?.stop()
    running.delete(uid)
    await removeFinalizer(api, pod).catch((error: unknown) => {
      logger.error('finalizer not removed', { pod: pod.metadata.name, error: errorText(error) })
    })
  }

  const watch = startWatch({
    api,
    resource: pods,
    clock,
    random,
    logger,
    onChange(pod, change) {
      const { uid = '', finalizers = [], deletionTimestamp } = pod.metadata
      if (!finalizers.includes(podFinalizer)) return
      if (change === 'gone' || deletionTimestamp !== undefined) void finish(uid, pod)
      else if (!running.has(uid)) running.set(uid, runPod(pod, options))
    },
  })

  return {
    async stop() {
      await watch.stop()
      await Promise.all([...running.values()].map((pod) => pod.stop()))
    },
  }
}

async function removeFinalizer(api: KubeApi, { metadata: { name, namespace, uid } }: Pod): Promise<void> {
  const key = { name, ...(namespace === undefined ? {} : { namespace }) }
  for (;;) {
    const stored = await api.get(pods, key)
    if (stored?.metadata.uid !== uid || stored?.metadata.finalizers === undefined) return
    const finalizers = stored.metadata.finalizers.filter((finalizer) => finalizer !== podFinalizer)
    try {
      await api.replace(pods, { ...stored, metadata: { ...stored.metadata, finalizers } })
      return
    } catch (error) {
      if (!(error instanceof KubeError)) throw error
      // Another client removed it, and the pod is gone.
      if (error.status === 404) return
      if (error.status !== 409) throw error
    }
  }
}
