/** All reads. Objects are read again after a change or a while, Secrets every 30 s (missing ones each time), the replicas' reports each time. */
import type { Clock } from '../../../bridge-runtime/core/clock.ts'
import type { Key, KubeApi } from '../../kube/api.ts'
import { configMaps, podMonitors, pods, type StreamBridge, streamBridges } from '../../kube/resources.ts'
import type { Bridge } from '../bridge.ts'
import { configHashOf } from '../desired/config-map.ts'
import { childName, configMapName, podLabels, selectorText } from '../desired/labels.ts'
import { askReplica, type ReadReport, type PodWithoutReport } from './ask-replica.ts'
import type { Observed, Parsed } from './observed.ts'
import { parseBridge } from './parse-bridge.ts'
import { singleKinds } from '../desired/objects.ts'
import { type Child, isOwnedBy } from '../owned.ts'
import type { Workload } from '../workload/contract.ts'
import { workloadKind } from '../workload/workload.ts'
import { podOf } from './pods.ts'
import { secretsOf } from './read-secrets.ts'
import { secretRefs } from '../desired/secret-refs.ts'

export interface ObserveOptions {
  readonly kube: KubeApi
  readonly clock: Clock
  readonly readReport: ReadReport
  /** Of the keyed hash of Secrets. */
  readonly checksumKey: Buffer
  /** Milliseconds between two requests for the replicas' reports, by scaling mode. */
  readonly intervalOf: (mode: string) => number
  /** Milliseconds after which objects are read again without a change. */
  readonly resync: number
  /** Where a bridge keeps its leases; absent: in Kubernetes. */
  readonly leasesOf?: ((bridge: Pick<Bridge, 'namespace' | 'name'>) => Bridge['leases']) | undefined
  /** Whether PodMonitors can be made: their CRD is the Prometheus operator's. */
  readonly podMonitors: () => Promise<boolean>
}

const modeOf = (parsed: Parsed): string => (parsed.kind === 'valid' ? parsed.bridge.spec.scaling.mode : 'Fixed')

async function readChildren(kube: KubeApi, stored: StreamBridge, parsed: Parsed): Promise<readonly Child[]> {
  const { namespace = '', name } = stored.metadata
  const singles = [...singleKinds, workloadKind.resource].map(async (resource): Promise<Child[]> => {
    const object = await kube.get(resource, { namespace, name: childName(name) })
    return object === undefined ? [] : [{ resource, object }]
  })
  const labelled = await kube.list(configMaps, { namespace, labelSelector: selectorText(podLabels(name)) })
  const found = labelled.items.map((object): Child => ({ resource: configMaps, object }))
  if (parsed.kind === 'valid') {
    const wanted = configMapName(name, configHashOf(parsed.bridge))
    const other = found.some(({ object }) => object.metadata.name === wanted)
      ? undefined
      : await kube.get(configMaps, { namespace, name: wanted })
    if (other !== undefined) found.push({ resource: configMaps, object: other })
  }
  return [...(await Promise.all(singles)).flat(), ...found]
}

function workloadOf(children: readonly Child[], { metadata }: StreamBridge): Workload | undefined {
  const { resource, rolloutOf } = workloadKind
  const own = children.find((child) => child.resource === resource && isOwnedBy(child.object, metadata.uid ?? ''))
  return own && { object: own.object, rollout: rolloutOf(own.object) }
}

async function readPodMonitor(
  { kube, podMonitors: installed }: ObserveOptions,
  { metadata }: StreamBridge,
): Promise<Child[] | undefined> {
  if (!(await installed())) return undefined
  const { namespace = '', name } = metadata
  const object = await kube.get(podMonitors, { namespace, name: childName(name) })
  return object === undefined ? [] : [{ resource: podMonitors, object }]
}

interface Objects {
  readonly stored: StreamBridge
  readonly parsed: Parsed
  readonly children: readonly Child[]
  readonly workload: Workload | undefined
  readonly pods: readonly PodWithoutReport[]
  readonly podMonitors: boolean
  readonly objectsAt: number
}

async function readObjects(options: ObserveOptions, key: Required<Key>): Promise<Objects | undefined> {
  const { kube, clock } = options
  const stored = await kube.get(streamBridges, key)
  if (stored === undefined) return undefined
  const parsed = parseBridge(stored, options.leasesOf)
  const labelSelector = selectorText(podLabels(key.name))
  const [children, monitors, podList] = await Promise.all([
    readChildren(kube, stored, parsed),
    readPodMonitor(options, stored),
    kube.list(pods, { namespace: key.namespace, labelSelector }),
  ])
  return {
    stored,
    parsed,
    children: [...children, ...(monitors ?? [])],
    workload: workloadOf(children, stored),
    pods: podList.items.map(podOf),
    podMonitors: monitors !== undefined,
    objectsAt: clock.monotonic(),
  }
}

export interface Before {
  readonly observed: Observed
  /** True when something may have changed since. */
  readonly changed: boolean
}

/** Observes one StreamBridge and all that belongs to it; undefined when it does not exist. */
export async function observe(
  options: ObserveOptions,
  key: Required<Key>,
  before: Before | undefined,
): Promise<Observed | undefined> {
  const now = options.clock.monotonic()
  const previous = before?.observed
  const usable = previous !== undefined && before?.changed === false && now - previous.objectsAt < options.resync
  const current = usable ? previous : undefined
  const objects = current ?? (await readObjects(options, key))
  if (objects === undefined) return undefined
  const interval = options.intervalOf(modeOf(objects.parsed))
  const known = new Map(previous?.pods.map((pod) => [pod.uid, pod]))
  const [views, asked] = await Promise.all([
    secretsOf(options, objects.stored, current, now),
    Promise.all(objects.pods.map((pod) => askReplica({ ...options, interval }, pod, known.get(pod.uid)))),
  ])
  return { ...objects, ...views, pods: asked, refs: secretRefs(objects.stored.spec), interval }
}
