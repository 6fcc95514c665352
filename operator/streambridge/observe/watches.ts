/** Turns changes of StreamBridges and of what belongs to them into keys. */
import type { Clock } from '../../../bridge-runtime/core/clock.ts'
import type { Logger } from '../../../bridge-runtime/observability/logger.ts'
import { type KubeApi, type KubeObject, keyText } from '../../kube/api.ts'
import { pods, streamBridges } from '../../kube/resources.ts'
import { startWatch } from '../../kube/watch.ts'
import { bridgeLabel, managedBy, selectorText } from '../desired/labels.ts'
import { workloadKind } from '../workload/workload.ts'

export interface WatchesOptions {
  readonly kube: KubeApi
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Logger
  /** Empty: all. */
  readonly namespaces: readonly string[]
  /** `namespace/name` of a StreamBridge of which something may have changed. */
  readonly onChange: (key: string) => void
}

export interface Watches {
  /** Resolves when every kind was listed once. */
  readonly synced: Promise<void>
  /** Seconds since the last answer or event of the API server, by kind: the longest. */
  lastSync(): ReadonlyMap<string, number>
  stop(): Promise<void>
}

export function watchBridges(options: WatchesOptions): Watches {
  const { kube: api, clock, random, logger, onChange } = options
  const common = { api, clock, random, logger }
  /** What was last seen of each spec: our own writes of the status are no change. */
  const seen = new Map<string, string>()

  const onBridge = ({ metadata }: KubeObject, change: 'present' | 'gone'): void => {
    const key = keyText(metadata)
    const { uid, generation, deletionTimestamp } = metadata
    const now = JSON.stringify([uid, generation, deletionTimestamp])
    if (change === 'present' && seen.get(key) === now) return
    if (change === 'present') seen.set(key, now)
    else seen.delete(key)
    onChange(key)
  }

  const onChild = ({ metadata }: KubeObject): void => {
    const name = metadata.labels?.[bridgeLabel]
    if (name !== undefined) onChange(keyText({ ...metadata, name }))
  }

  const labelSelector = selectorText(managedBy)
  const loops = (options.namespaces.length === 0 ? [undefined] : options.namespaces).flatMap((namespace) => {
    const within = namespace === undefined ? {} : { namespace }
    const selection = { ...within, labelSelector }
    return [
      { resource: streamBridges, selection: within, onChange: onBridge },
      { resource: workloadKind.resource, selection, onChange: onChild },
      { resource: pods, selection, onChange: onChild },
    ].map((watch) => ({ kind: watch.resource.kind, loop: startWatch<KubeObject>({ ...common, ...watch }) }))
  })

  return {
    synced: Promise.all(loops.map(({ loop }) => loop.synced)).then(() => undefined),
    lastSync() {
      const ages = new Map<string, number>()
      for (const { kind, loop } of loops) ages.set(kind, Math.max(ages.get(kind) ?? 0, loop.lastSync() / 1_000))
      return ages
    },
    stop: async () => void (await Promise.all(loops.map(({ loop }) => loop.stop()))),
  }
}
