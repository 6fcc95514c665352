/** A small world for the operator's tests: the in-process API, reports that the test decides, time that it moves. */
import type { ConditionType } from '../../crds/schema/conditions.ts'
import type { RuntimeReport } from '../../crds/schema/report.ts'
import type { StreamBridgeSpecInput } from '../../crds/schema/streambridge.ts'
import { type FakeClock, fakeClock } from './fake-clock.ts'
import { createEmbeddedKube, type EmbeddedKube } from '../../operator/embedded/api-server/api.ts'
import type { KubeApi, Resource } from '../../operator/kube/api.ts'
import {
  configMaps,
  type ContainerStatus,
  type Deployment,
  deployments,
  type Pod,
  podDisruptionBudgets,
  pods,
  roleBindings,
  roles,
  type Secret,
  type StreamBridge,
  secrets,
  serviceAccounts,
  streamBridges,
} from '../../operator/kube/resources.ts'
import { childName } from '../../operator/streambridge/desired/labels.ts'
import type { PlannedEvent } from '../../operator/streambridge/status/events.ts'
import { conditionOf } from '../../operator/streambridge/status/status.ts'
import { createReconciler, type Reconciler, type ReconcileOptions } from '../../operator/streambridge/reconcile.ts'

export const namespace = 'shop'

/** Kafka with a password → Kinesis, unless changed. */
export const aSpec = (changes: Partial<StreamBridgeSpecInput> = {}): StreamBridgeSpecInput => ({
  source: {
    kafka: {
      bootstrapServers: ['kafka:9092'],
      topics: ['orders'],
      sasl: {
        mechanism: 'SCRAM-SHA-512',
        usernameSecretRef: { name: 'orders-kafka', key: 'username' },
        passwordSecretRef: { name: 'orders-kafka', key: 'password' },
      },
    },
  },
  sink: { kinesis: { streamName: 'orders', region: 'eu-west-1' } },
  ...changes,
})

export const aBridge = (name: string, spec: StreamBridgeSpecInput = aSpec()): StreamBridge => ({
  apiVersion: streamBridges.apiVersion,
  kind: streamBridges.kind,
  metadata: { name, namespace },
  spec,
})

export const aSecret = (data: Readonly<Record<string, string>>, name = 'orders-kafka'): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace },
  data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
})

export const credentials = aSecret({ username: 'shop', password: 'hunter2-canary' })

/** A healthy replica with one partition; `configHash` must be the pod's. */
export const aReport = (changes: Partial<RuntimeReport> = {}): RuntimeReport => ({
  version: '0.1.0',
  replica: 'replica-0',
  configHash: '',
  state: 'running',
  at: Date.UTC(2026, 0, 1),
  uptime: 100,
  source: { connected: true, partitions: 1 },
  sink: { connected: true, throttled: false },
  partitions: [
    {
      partition: 'orders-0',
      epoch: 1,
      committed: '5',
      lag: { kind: 'known', records: 0, seconds: 0 },
      inFlightRecords: 0,
    },
  ],
  totals: { in: 10, out: 10, filtered: 0, deadLettered: 0, retries: 0 },
  rates: { in: 1, out: 1 },
  busy: 0,
  inFlightBytes: 0,
  lastCommitAt: Date.UTC(2026, 0, 1),
  errors: [],
  ...changes,
})

export interface World {
  /** The cluster, as a person's kubectl sees it. */
  readonly people: KubeApi
  readonly cluster: EmbeddedKube
  readonly clock: FakeClock
  readonly events: PlannedEvent[]
  reconciler: Reconciler
  /** What every replica reports; undefined: it does not answer. `configHash` is filled in. */
  report: Partial<RuntimeReport> | undefined
  /** What the n-th replica reports, beside that. */
  reportOf: (index: number) => Partial<RuntimeReport>
  /** Replaces the operator, as a restart does; it works through `kube`. */
  restart(kube?: KubeApi): void
  /** One look after a change. */
  reconcile(name: string): Promise<void>
  /** Looks again and again, as the queue would, for the time. */
  run(name: string, milliseconds: number): Promise<void>
  /** Plays Deployment controller and kubelet: every pod as the Deployment says, running and ready. */
  roll(name: string): Promise<void>
  get(name: string): Promise<StreamBridge | undefined>
  deployment(name: string): Promise<Deployment | undefined>
}

/** Its pods answer at once; 5 s between two looks in mode Lag, 10 s otherwise. */
export function aWorld(options: Pick<ReconcileOptions, 'allowed'> = {}): World {
  const clock = fakeClock()
  const cluster = createEmbeddedKube({ clock })
  const people = cluster.as('kubectl')
  const events: PlannedEvent[] = []
  const hashes = new Map<string, string>()

  const world: World = {
    people,
    cluster,
    clock,
    events,
    report: {},
    reportOf: () => ({}),
    reconciler: undefined as unknown as Reconciler,
    restart(kube = cluster) {
      world.reconciler = createReconciler({
        ...options,
        kube,
        clock,
        readReport: async (url) => {
          if (world.report === undefined) throw new Error('no answer')
          const index = Number(/10\.0\.0\.([0-9]+)/.exec(url)?.[1]) - 1
          return aReport({ configHash: hashes.get(url) ?? '', ...world.report, ...world.reportOf(index) })
        },
        checksumKey: Buffer.alloc(32, 7),
        intervalOf: (mode) => (mode === 'Lag' ? 5_000 : 10_000),
        resync: 600_000,
        podMonitors: async () => false,
        image: 'streambridge:test',
        events: { record: ({ type, reason, message }) => void events.push({ type, reason, message }) },
      })
    },
    async reconcile(name) {
      world.reconciler.changed(`${namespace}/${name}`)
      await world.reconciler.reconcile(`${namespace}/${name}`)
    },
    async run(name, milliseconds) {
      const end = clock.monotonic() + milliseconds
      while (clock.monotonic() < end) {
        const outcome = await world.reconciler.reconcile(`${namespace}/${name}`)
        await clock.advance(outcome.again === 'after' ? outcome.milliseconds : end - clock.monotonic())
      }
    },
    async roll(name) {
      const deployment = await world.deployment(name)
      if (deployment === undefined) return
      const { spec, metadata } = deployment
      const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: metadata.name, uid: metadata.uid ?? '' }
      const ownerReferences = [{ ...owner, controller: true }]
      const count = spec.replicas ?? 1
      const controller = cluster.as('controller')
      const existing = await cluster.list(pods, { namespace, labelSelector: `streambridge.dev/bridge=${name}` })
      for (const pod of existing.items)
        await controller.remove(pods, { namespace, name: pod.metadata.name }, { uid: pod.metadata.uid ?? '' })
      for (let index = 0; index < count; index += 1) {
        const podIP = `10.0.0.${index + 1}`
        const args = spec.template.spec.containers[0]?.args ?? []
        hashes.set(`http://${podIP}:8080/status`, args[args.indexOf('--config-hash') + 1] ?? '')
        const pod: Pod = {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { ...spec.template.metadata, name: `${childName(name)}-${index}`, namespace, ownerReferences },
          spec: spec.template.spec,
        }
        const made = await controller.create(pods, pod)
        const status: Pod['status'] = { phase: 'Running', podIP, conditions: [{ type: 'Ready', status: 'True' }] }
        await controller.applyStatus(pods, { ...made, status })
      }
      await controller.applyStatus(deployments, {
        ...deployment,
        status: {
          observedGeneration: metadata.generation ?? 0,
          replicas: count,
          updatedReplicas: count,
          readyReplicas: count,
          availableReplicas: count,
        },
      })
      await world.reconcile(name)
    },
    get: (name) => cluster.get(streamBridges, { namespace, name }),
    deployment: (name) => cluster.get(deployments, { namespace, name: childName(name) }),
  }
  world.restart()
  return world
}

/** A bridge that runs, with its credentials. */
export async function aRunningBridge(
  name: string,
  spec: StreamBridgeSpecInput = aSpec(),
  options: Pick<ReconcileOptions, 'allowed'> = {},
): Promise<World> {
  const world = aWorld(options)
  await world.people.create(secrets, credentials)
  await world.people.create(streamBridges, aBridge(name, spec))
  await world.reconcile(name)
  await world.roll(name)
  return world
}

/** The kubelet says this of the container of a replica; the operator looks once. */
export async function podStatus(
  world: World,
  name: string,
  index: number,
  container: Partial<ContainerStatus>,
): Promise<void> {
  const pod = await world.cluster.get(pods, { namespace, name: `${childName(name)}-${index}` })
  if (pod === undefined) throw new Error(`no pod ${index} of ${name}`)
  const containerStatuses = [{ name: 'bridge', ready: false, restartCount: 0, ...container }]
  await world.cluster.as('controller').applyStatus(pods, { ...pod, status: { ...pod.status, containerStatuses } })
  await world.reconcile(name)
}

/** A condition in one line: `True/Flowing: records flow ...`. */
export async function said(world: World, name: string, type: ConditionType): Promise<string> {
  const condition = conditionOf((await world.get(name))?.status, type)
  return `${condition?.status}/${condition?.reason}: ${condition?.message}`
}

export const phaseIn = async (world: World, name: string): Promise<string | undefined> =>
  (await world.get(name))?.status?.phase

/** A person edits the spec; the operator looks once. */
export async function edit(
  world: World,
  name: string,
  change: (spec: StreamBridgeSpecInput) => StreamBridgeSpecInput,
): Promise<void> {
  const stored = await world.get(name)
  if (stored === undefined) throw new Error(`no StreamBridge ${name}`)
  await world.people.replace(streamBridges, { ...stored, spec: change(stored.spec) })
  await world.reconcile(name)
}

/** A person deletes the Secret with the credentials. */
export async function deleteCredentials(world: World): Promise<void> {
  const key = { namespace, name: credentials.metadata.name }
  const secret = await world.people.get(secrets, key)
  await world.people.remove(secrets, key, { uid: secret?.metadata.uid ?? '' })
}

/** A person deletes the StreamBridge, and the watch tells of it. */
export async function deleteBridge(world: World, name: string): Promise<void> {
  const stored = await world.get(name)
  await world.people.remove(streamBridges, { namespace, name }, { uid: stored?.metadata.uid ?? '' })
  world.reconciler.changed(`${namespace}/${name}`)
}

type Partition = RuntimeReport['partitions'][number]

/** What a replica reports of a partition with a little lag. */
export const aPartition = (changes: Partial<Partition> = {}): Partition => ({
  partition: 'orders-0',
  epoch: 1,
  lag: { kind: 'known', records: 5, seconds: 2 },
  inFlightRecords: 0,
  ...changes,
})

/** The kinds that the operator makes. */
export const ownedKinds: readonly Resource[] = [
  configMaps,
  serviceAccounts,
  roles,
  roleBindings,
  podDisruptionBudgets,
  deployments,
]

/** What exists in the namespace, by kind and name. */
export async function inventory(kube: KubeApi): Promise<readonly string[]> {
  const lists = await Promise.all(
    ownedKinds.map(async (resource) => {
      const { items } = await kube.list(resource, { namespace })
      return items.map(({ metadata }) => `${resource.kind} ${metadata.name}`)
    }),
  )
  return lists.flat().sort()
}
