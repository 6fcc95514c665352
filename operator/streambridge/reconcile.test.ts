import assert from 'node:assert/strict'
import test from 'node:test'
import { configMaps, deployments, secrets, serviceAccounts, streamBridges } from '../kube/resources.ts'
import {
  aBridge,
  aRunningBridge,
  aSpec,
  aWorld,
  credentials,
  deleteBridge,
  edit,
  inventory,
  namespace,
  phaseIn,
  said,
} from '../../test/support/operator-world.ts'

test('a bridge with its credentials gets a Deployment and is Ready once its replica reports', async () => {
  const world = await aRunningBridge('orders')
  assert.match(await said(world, 'orders', 'Ready'), /^True\/Flowing: records flow from kafka orders to kinesis orders/)
  assert.equal(await phaseIn(world, 'orders'), 'Running')
  assert.deepEqual(
    (await inventory(world.cluster)).map((line) => line.replace(/-[0-9a-f]{10}$/, '-HASH')),
    [
      'ConfigMap orders-bridge-HASH',
      'Deployment orders-bridge',
      'PodDisruptionBudget orders-bridge',
      'Role orders-bridge',
      'RoleBinding orders-bridge',
      'ServiceAccount orders-bridge',
    ],
  )
})

test('pausing stops all replicas and keeps everything else; resuming brings them back', async () => {
  const world = await aRunningBridge('orders', aSpec({ replicas: 3 }))
  await edit(world, 'orders', (spec) => ({ ...spec, lifecycle: { desiredState: 'Paused' } }))
  await world.roll('orders')
  assert.equal((await world.deployment('orders'))?.spec.replicas, 0)
  assert.match(await said(world, 'orders', 'Ready'), /^False\/Paused/)
  assert.equal(await phaseIn(world, 'orders'), 'Paused')
  await edit(world, 'orders', (spec) => ({ ...spec, lifecycle: { desiredState: 'Running' } }))
  await world.roll('orders')
  assert.equal((await world.deployment('orders'))?.spec.replicas, 3)
  assert.match(await said(world, 'orders', 'Ready'), /^True/)
})

test('an object of the same name that belongs to something else is left alone', async () => {
  const world = aWorld()
  const foreign = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'orders-bridge', namespace, labels: { mine: 'yes' } },
  }
  await world.people.create(serviceAccounts, foreign)
  await world.people.create(secrets, credentials)
  await world.people.create(streamBridges, aBridge('orders'))
  const before = await world.people.get(serviceAccounts, { namespace, name: 'orders-bridge' })
  await world.reconcile('orders')
  assert.deepEqual(await world.people.get(serviceAccounts, { namespace, name: 'orders-bridge' }), before)
  assert.match(await said(world, 'orders', 'Available'), /^False\/NameConflict: ServiceAccount "orders-bridge" exists/)
  assert.match(await said(world, 'orders', 'Ready'), /^False\/NameConflict/)
  assert.equal(await phaseIn(world, 'orders'), 'Failed')
  assert.deepEqual(await inventory(world.cluster), ['ServiceAccount orders-bridge'])
})

test('a spec that does not make sense keeps what runs, and reverting it makes all well again', async () => {
  const world = await aRunningBridge('orders')
  const before = await world.deployment('orders')
  const retry = { initialBackoff: '60s', maxBackoff: '1s' }
  await edit(world, 'orders', (spec) => ({ ...spec, delivery: { ...spec.delivery, retry } }))
  assert.deepEqual(await world.deployment('orders'), before)
  assert.match(await said(world, 'orders', 'ConfigValid'), /^False\/InvalidSpec: spec.delivery.retry.initialBackoff/)
  assert.equal(await phaseIn(world, 'orders'), 'Degraded')
  await edit(world, 'orders', (spec) => ({ ...spec, delivery: { ...spec.delivery, retry: {} } }))
  assert.deepEqual((await world.deployment('orders'))?.spec, before?.spec)
  assert.match(await said(world, 'orders', 'Ready'), /^True/)
  assert.equal(await phaseIn(world, 'orders'), 'Running')
})

test('an expression that is edited rolls out; one that is wrong is refused, and what runs stays', async () => {
  const world = await aRunningBridge('orders', aSpec({ transforms: [{ filter: 'value.n > 1' }] }))
  const before = await world.deployment('orders')
  const write = (filter: string) => edit(world, 'orders', (spec) => ({ ...spec, transforms: [{ filter }] }))
  await assert.rejects(
    write('valu.n > 1'),
    /spec\.transforms\[0\]\.filter.*Unknown variable: valu \(line 1, column 1\)/,
  )
  assert.deepEqual(await world.deployment('orders'), before)
  await write('value.n > 2')
  assert.notDeepEqual((await world.deployment('orders'))?.spec.template, before?.spec.template)
})

test('only a change that the runtime reads restarts it', async () => {
  const world = await aRunningBridge('orders')
  const before = await world.deployment('orders')
  await edit(world, 'orders', (spec) => ({ ...spec, scaling: { maxReplicas: 50 } }))
  assert.deepEqual(await world.deployment('orders'), before)
  await edit(world, 'orders', (spec) => ({ ...spec, observability: { logLevel: 'debug' } }))
  assert.notDeepEqual((await world.deployment('orders'))?.spec.template, before?.spec.template)
})

test('the previous configuration stays until no pod mounts it', async () => {
  const world = await aRunningBridge('orders')
  await edit(world, 'orders', (spec) => ({ ...spec, observability: { logLevel: 'debug' } }))
  const kept = async (): Promise<number> => (await world.cluster.list(configMaps, { namespace })).items.length
  assert.equal(await kept(), 2)
  await world.run('orders', 30_000)
  assert.equal(await kept(), 2)
  await world.roll('orders')
  await world.reconcile('orders')
  assert.equal(await kept(), 1)
})

test('a bridge keeps the right to its Leases whatever its source: what it remembers is there', async () => {
  const world = await aRunningBridge('clicks', aSpec({ source: { generator: {} } }))
  assert.ok((await inventory(world.cluster)).includes('Role clicks-bridge'))
  await edit(world, 'clicks', () => aSpec())
  assert.ok((await inventory(world.cluster)).includes('Role clicks-bridge'))
})

test('a change of our objects by another client is reverted', async () => {
  const world = await aRunningBridge('orders')
  const deployment = await world.deployment('orders')
  assert.ok(deployment)
  await world.people.replace(deployments, { ...deployment, spec: { ...deployment.spec, replicas: 7 } })
  await world.reconcile('orders')
  assert.equal((await world.deployment('orders'))?.spec.replicas, 1)
})

test('a field that the spec no longer sets disappears from the pods', async () => {
  const world = await aRunningBridge(
    'orders',
    aSpec({ template: { nodeSelector: { disk: 'fast' }, labels: { team: 'a' } } }),
  )
  await edit(world, 'orders', () => aSpec())
  const template = (await world.deployment('orders'))?.spec.template
  assert.equal(template?.spec.nodeSelector, undefined)
  assert.equal(template?.metadata.labels?.['team'], undefined)
})

test('a bridge that is created again under its old name gets its own objects', async () => {
  const world = await aRunningBridge('orders')
  await deleteBridge(world, 'orders')
  await world.run('orders', 10_000)
  const made = await world.people.create(streamBridges, aBridge('orders'))
  await world.reconcile('orders')
  const deployment = await world.deployment('orders')
  assert.equal(deployment?.metadata.ownerReferences?.[0]?.uid, made.metadata.uid)
})

test('an object of another StreamBridge is left alone', async () => {
  const world = await aRunningBridge('other')
  const owner = (await world.deployment('other'))?.metadata.ownerReferences ?? []
  const account = { apiVersion: 'v1', kind: 'ServiceAccount' }
  const metadata = { name: 'orders-bridge', namespace, ownerReferences: owner }
  const before = await world.people.create(serviceAccounts, { ...account, metadata })
  await world.people.create(streamBridges, aBridge('orders'))
  await world.reconcile('orders')
  assert.deepEqual(await world.people.get(serviceAccounts, { namespace, name: 'orders-bridge' }), before)
  assert.match(await said(world, 'orders', 'Available'), /^False\/NameConflict/)
})
