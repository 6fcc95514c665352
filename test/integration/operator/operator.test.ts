/** The operator against a real kube-apiserver with its controllers. There is no node: pods stay Pending. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { realClock } from '../../../bridge-runtime/core/clock.ts'
import { silentLogger } from '../../../bridge-runtime/observability/logger.ts'
import { createKubeClient } from '../../../operator/kube/client/client.ts'
import { fromKubeconfig } from '../../../operator/kube/client/cluster-access.ts'
import {
  configMaps,
  type Deployment,
  deployments,
  podDisruptionBudgets,
  pods,
  roleBindings,
  roles,
  secrets,
  serviceAccounts,
  type StreamBridge,
  streamBridges,
} from '../../../operator/kube/resources.ts'
import { runOperator } from '../../../operator/main.ts'
import { settingsFrom } from '../../../operator/settings.ts'
import { conditionOf } from '../../../operator/streambridge/status/status.ts'
import { secretsAnnotation } from '../../../operator/streambridge/desired/labels.ts'
import { eventually } from '../../support/eventually.ts'
import { installCrd } from '../../support/install-crd.ts'
import { type KubeApiServer, startKubeApiServer } from '../../support/kube-api-server.ts'
import { aBridge, aSecret, aSpec, namespace } from '../../support/operator-world.ts'

let server: KubeApiServer
let kube: ReturnType<typeof createKubeClient>
let running: Promise<void>
const stop = new AbortController()
const everything = [configMaps, deployments, podDisruptionBudgets, pods, roleBindings, roles, serviceAccounts] as const

before(async () => {
  server = await startKubeApiServer({ controllerManager: true })
  const access = await fromKubeconfig({ path: server.kubeconfigPath })
  kube = createKubeClient({ access, clock: realClock })
  await server.kubectl(['create', 'namespace', namespace])
  await server.kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted'])
  const settings = settingsFrom({ STREAMBRIDGE_IMAGE: 'streambridge:test', METRICS_PORT: '0', REPORT_INTERVAL: '1s' })
  const { signal } = stop
  // Started before the CRD is installed: it waits for it.
  running = runOperator({
    connect: () => kube,
    settings,
    clock: realClock,
    random: Math.random,
    logger: silentLogger,
    signal,
  })
  await installCrd(server)
})

after(async () => {
  stop.abort()
  await running
  kube.close()
  await server.stop()
})

const credentials = (name: string, password = 'hunter2-canary') => aSecret({ username: 'shop', password }, name)

/** A spec with its own Secret, so that the tests do not meet. */
const specWith = (secret: string): StreamBridge['spec'] =>
  JSON.parse(JSON.stringify(aSpec()).replaceAll('orders-kafka', secret)) as StreamBridge['spec']

const apply = async (name: string, spec = specWith(`${name}-kafka`)): Promise<void> =>
  void (await server.kubectl(['apply', '-f', '-'], JSON.stringify(aBridge(name, spec))))

const deployment = (name: string): Promise<Deployment | undefined> =>
  kube.get(deployments, { namespace, name: `${name}-bridge` })

const said = async (name: string, type: Parameters<typeof conditionOf>[1]): Promise<string> => {
  const condition = conditionOf((await kube.get(streamBridges, { namespace, name }))?.status, type)
  return `${condition?.status}/${condition?.reason}: ${condition?.message}`
}

const ours = async (name: string): Promise<readonly string[]> => {
  const lists = await Promise.all(
    everything.map(async (resource) => {
      const { items } = await kube.list(resource, { namespace, labelSelector: `streambridge.dev/bridge=${name}` })
      return items.map(({ metadata }) => `${resource.kind} ${metadata.name}`)
    }),
  )
  return lists.flat()
}

const versions = async (name: string): Promise<string> => {
  const lists = await Promise.all(
    [...everything, streamBridges].map(async (resource) => (await kube.list(resource, { namespace })).items),
  )
  const mine = lists.flat().filter(({ metadata }) => metadata.name.startsWith(name))
  return mine.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`).join('\n')
}

test('applying a StreamBridge makes a Deployment whose pods pass Pod Security restricted', async () => {
  await kube.create(secrets, credentials('apply-kafka'))
  await apply('apply')
  const made = await eventually('the Deployment', () => deployment('apply'))
  assert.equal(made.spec.replicas, 1)
  assert.deepEqual(made.spec.strategy?.rollingUpdate, { maxSurge: 0, maxUnavailable: 1 })
  assert.equal(made.spec.template.spec.automountServiceAccountToken, true, 'what it has read is remembered in a Lease')
  await eventually('a pod, admitted', async () => (await ours('apply')).some((line) => line.startsWith('Pod ')))
  assert.match(await said('apply', 'Ready'), /^Unknown\/NotReported/)
  const seen = await server.kubectl(['-n', namespace, 'get', 'sbr', 'apply'])
  assert.match(seen, /apply/)
})

test('at rest nothing is written', async () => {
  await kube.create(secrets, credentials('rest-kafka'))
  await apply('rest')
  await eventually('a pod', async () => (await ours('rest')).some((line) => line.startsWith('Pod ')))
  let last = ''
  const unchanged = async (): Promise<boolean> => {
    const before = last
    last = await versions('rest')
    return last === before
  }
  // Eight looks at the replicas lie between two of these.
  await eventually('nothing written for 8 s', unchanged, undefined, { within: 90_000, every: 8_000 })
})

test('a missing Secret is a condition, and its arrival starts the bridge', async () => {
  await apply('missing')
  await eventually(
    'the condition',
    () => said('missing', 'CredentialsResolved'),
    (text) => text.startsWith('False'),
  )
  assert.match(await said('missing', 'CredentialsResolved'), /SecretNotFound: Secret "missing-kafka" does not exist/)
  assert.equal(await deployment('missing'), undefined)
  const described = await server.kubectl(['-n', namespace, 'describe', 'sbr', 'missing'])
  assert.match(described, /Warning\s+SecretNotFound/)
  await kube.create(secrets, aSecret({ username: 'shop' }, 'missing-kafka'))
  await eventually(
    'the key',
    () => said('missing', 'CredentialsResolved'),
    (text) => text.includes('has no key "password"'),
    { within: 60_000 },
  )
  await kube.apply(secrets, credentials('missing-kafka'))
  await eventually('the Deployment', () => deployment('missing'), undefined, { within: 60_000 })
})

test('a rotated Secret changes the pod template within a minute', async () => {
  await kube.create(secrets, credentials('rotate-kafka'))
  await apply('rotate')
  const hashOf = (made: Deployment | undefined) => made?.spec.template.metadata.annotations?.[secretsAnnotation]
  const first = hashOf(await eventually('the Deployment', () => deployment('rotate')))
  await kube.apply(secrets, credentials('rotate-kafka', 'another-canary'))
  await eventually(
    'another hash',
    async () => hashOf(await deployment('rotate')),
    (hash) => hash !== first,
    { within: 60_000 },
  )
})

test('the scale subresource decides in mode External', async () => {
  await kube.create(secrets, credentials('external-kafka'))
  await apply('external', { ...specWith('external-kafka'), scaling: { mode: 'External' }, replicas: 1 })
  await eventually('the Deployment', () => deployment('external'))
  await server.kubectl(['-n', namespace, 'scale', 'sbr', 'external', '--replicas=3'])
  await eventually(
    'three replicas',
    async () => (await deployment('external'))?.spec.replicas,
    (count) => count === 3,
  )
  const made = await deployment('external')
  await server.kubectl(['-n', namespace, 'scale', 'deployment', made?.metadata.name ?? '', '--replicas=1'])
  await eventually(
    'three replicas again',
    async () => (await deployment('external'))?.spec.replicas,
    (count) => count === 3,
  )
})

test('a pod template that the API server refuses is a condition, and reverting it goes on', async () => {
  const spec = { ...specWith('refused-kafka'), template: { tolerations: [{ operator: 'Nonsense' }] } }
  await kube.create(secrets, credentials('refused-kafka'))
  await apply('refused', spec)
  await eventually(
    'the condition',
    () => said('refused', 'ConfigValid'),
    (text) => text.startsWith('False/InvalidSpec'),
  )
  assert.match(await said('refused', 'ConfigValid'), /Deployment "refused-bridge" was refused: .*Nonsense/)
  await apply('refused')
  await eventually('the Deployment', () => deployment('refused'))
  await eventually(
    'the condition',
    () => said('refused', 'ConfigValid'),
    (text) => text.startsWith('True'),
  )
})

test('deleting a StreamBridge keeps its Role while a pod is there, then leaves nothing', async () => {
  await apply('gone', { ...aSpec({ source: { generator: {} } }) })
  await eventually('its Role', async () => (await ours('gone')).includes('Role gone-bridge'))
  const pod = await eventually('a pod', async () => {
    const { items } = await kube.list(pods, { namespace, labelSelector: 'streambridge.dev/bridge=gone' })
    return items[0]
  })
  assert.deepEqual((await kube.get(streamBridges, { namespace, name: 'gone' }))?.metadata.finalizers, [
    'streambridge.dev/drain',
  ])
  // No kubelet: nothing but a finalizer makes a pod take its time.
  await eventually('the pod is held', async () => {
    const current = await kube.get(pods, { namespace, name: pod.metadata.name })
    return current && kube.setFinalizers(pods, current, ['test/drains'])
  })
  await server.kubectl(['-n', namespace, 'delete', 'sbr', 'gone', '--wait=false'])
  await eventually(
    'the Deployment is gone',
    () => deployment('gone'),
    (found) => found === undefined,
  )
  const terminating = await eventually('the pod is ending', async () => {
    const current = await kube.get(pods, { namespace, name: pod.metadata.name })
    return current?.metadata.deletionTimestamp !== undefined && current
  })
  assert.match(await said('gone', 'Ready'), /^False\/Deleting/)
  const there = await ours('gone')
  for (const kind of ['Role', 'RoleBinding', 'ServiceAccount']) assert.ok(there.includes(`${kind} gone-bridge`), kind)
  await kube.setFinalizers(pods, terminating, [])
  await eventually(
    'nothing',
    () => ours('gone'),
    (left) => left.length === 0,
    { within: 90_000 },
  )
  assert.equal(await kube.get(streamBridges, { namespace, name: 'gone' }), undefined)
})
