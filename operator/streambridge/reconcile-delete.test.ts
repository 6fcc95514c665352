import assert from 'node:assert/strict'
import test from 'node:test'
import {
  aBridge,
  aRunningBridge,
  aSpec,
  aWorld,
  credentials,
  deleteBridge,
  deleteCredentials,
  edit,
  inventory,
  namespace,
  phaseIn,
  said,
  type World,
} from '../../test/support/operator-world.ts'
import {
  type Call,
  conflictOnWrite,
  crashAfterWrite,
  errorAfterWrite,
  recording,
  writesIn,
} from '../../test/support/kube-faults.ts'
import { type Deployment, deployments, pods, secrets, streamBridges } from '../kube/resources.ts'
import { drainFinalizer } from './finalization.ts'

/** With leases: it has a Role. */
const leased = aSpec({ source: { generator: {} } })

/** Its pods do not end before `stopPods`. */
const hold = 'test/drains'

async function setPodFinalizers(world: World, finalizers: readonly string[]): Promise<void> {
  const { items } = await world.people.list(pods, { namespace })
  for (const pod of items) await world.people.setFinalizers(pods, pod, finalizers)
}

const holdPods = (world: World): Promise<void> => setPodFinalizers(world, [hold])
const stopPods = (world: World): Promise<void> => setPodFinalizers(world, [])

const finalizersIn = async (world: World, name: string): Promise<readonly string[]> =>
  (await world.get(name))?.metadata.finalizers ?? []

async function assertGone(world: World, name: string): Promise<void> {
  assert.equal(await world.get(name), undefined)
  assert.deepEqual(await inventory(world.cluster), [])
}

test('the finalizer is set once, before any object is created', async () => {
  const world = aWorld()
  const calls: Call[] = []
  await world.people.create(streamBridges, aBridge('clicks', leased))
  world.restart(recording(world.cluster, calls))
  await world.reconcile('clicks')
  const writes = writesIn(calls).map(({ verb, resource }) => `${verb} ${resource.kind}`)
  assert.equal(writes[0], 'setFinalizers StreamBridge')
  await world.roll('clicks')
  assert.equal(writesIn(calls).filter(({ verb }) => verb === 'setFinalizers').length, 1)
  assert.deepEqual(await finalizersIn(world, 'clicks'), [drainFinalizer])
})

test('the finalizer leaves the spec and the finalizers of others alone', async () => {
  const world = aWorld()
  const bridge = aBridge('clicks', leased)
  const made = await world.people.create(streamBridges, {
    ...bridge,
    metadata: { ...bridge.metadata, finalizers: ['other/one'] },
  })
  await world.reconcile('clicks')
  const stored = await world.get('clicks')
  assert.deepEqual(stored?.metadata.finalizers, ['other/one', drainFinalizer])
  assert.deepEqual([stored?.spec, stored?.metadata.generation], [made.spec, made.metadata.generation])
  await deleteBridge(world, 'clicks')
  await world.run('clicks', 10_000)
  assert.deepEqual(await finalizersIn(world, 'clicks'), ['other/one'])
})

test('while a pod drains it keeps its Role; then nothing is left', async () => {
  const world = await aRunningBridge('clicks', leased)
  await holdPods(world)
  await deleteBridge(world, 'clicks')
  await world.run('clicks', 60_000)
  assert.equal(await world.deployment('clicks'), undefined)
  const there = await inventory(world.cluster)
  for (const kind of ['Role', 'RoleBinding', 'ServiceAccount'])
    assert.ok(there.includes(`${kind} clicks-bridge`), there.join())
  assert.match(await said(world, 'clicks', 'Ready'), /^False\/Deleting: pod clicks-bridge-0 finishes/)
  assert.match(await said(world, 'clicks', 'Reconciling'), /^True\/Deleting/)
  assert.equal(await phaseIn(world, 'clicks'), 'Deleting')
  await stopPods(world)
  await world.run('clicks', 2_001)
  await assertGone(world, 'clicks')
})

test('a finalization that waits for a pod writes nothing', async () => {
  const world = await aRunningBridge('clicks', leased)
  await holdPods(world)
  await deleteBridge(world, 'clicks')
  await world.run('clicks', 20_000)
  const calls: Call[] = []
  world.restart(recording(world.cluster, calls))
  await world.run('clicks', 60_000)
  assert.deepEqual(writesIn(calls), [])
})

test('a pod that never ends is given up ten minutes after the drain', async () => {
  const world = await aRunningBridge('clicks', leased)
  await holdPods(world)
  await deleteBridge(world, 'clicks')
  await world.run('clicks', 600_000)
  assert.ok(await world.get('clicks'))
  await world.run('clicks', 30_000)
  await assertGone(world, 'clicks')
})

/** Brought about before the bridge is deleted. */
const obstacles: Readonly<Record<string, (world: World) => Promise<unknown>>> = {
  nothing: async () => undefined,
  'a missing Secret': deleteCredentials,
  'an invalid spec': (world) =>
    edit(world, 'orders', (spec) => ({
      ...spec,
      delivery: { retry: { initialBackoff: '60s', maxBackoff: '1s' } },
    })),
  'a pause': async (world) => {
    await edit(world, 'orders', (spec) => ({ ...spec, lifecycle: { desiredState: 'Paused' } }))
    await world.roll('orders')
  },
  'a Deployment that somebody deleted': async (world) => {
    const made = await world.deployment('orders')
    const { name = '', uid = '' } = made?.metadata ?? {}
    await world.people.remove(deployments, { namespace, name }, { uid })
  },
  'a finalizer that somebody else owns too': async (world) => {
    const kubectl = world.cluster.as('argocd')
    await kubectl.apply(streamBridges, {
      ...aBridge('orders'),
      metadata: { ...aBridge('orders').metadata, finalizers: [drainFinalizer] },
    })
  },
}

for (const [obstacle, bringAbout] of Object.entries(obstacles))
  test(`deleting ends, with ${obstacle} in the way`, async () => {
    const world = await aRunningBridge('orders')
    await bringAbout(world)
    await deleteBridge(world, 'orders')
    await world.run('orders', 10_000)
    await assertGone(world, 'orders')
  })

test('a bridge without objects is deleted at once', async () => {
  const world = aWorld()
  await world.people.create(streamBridges, aBridge('orders'))
  await world.reconcile('orders')
  await deleteBridge(world, 'orders')
  await world.reconcile('orders')
  await assertGone(world, 'orders')
})

/** The Deployment of the bridge's name becomes somebody else's, pods and all. */
async function giveAway(world: World): Promise<Deployment> {
  const made = await world.deployment('orders')
  assert.ok(made)
  const { ownerReferences: _, ...metadata } = made.metadata
  return world.people.replace(deployments, { ...made, metadata })
}

test('a Deployment that belongs to something else is neither deleted nor waited for', async () => {
  const world = await aRunningBridge('orders')
  const foreign = await giveAway(world)
  await deleteBridge(world, 'orders')
  await world.run('orders', 10_000)
  assert.equal(await world.get('orders'), undefined)
  assert.deepEqual(await world.deployment('orders'), foreign)
  assert.equal((await world.cluster.list(pods, { namespace })).items.length, 1)
})

test('the objects of a bridge stay when its deletion orphans them', async () => {
  const world = await aRunningBridge('orders')
  const stored = await world.get('orders')
  assert.ok(stored)
  await world.people.setFinalizers(streamBridges, stored, [drainFinalizer, 'orphan'])
  await deleteBridge(world, 'orders')
  await world.run('orders', 10_000)
  assert.deepEqual(await finalizersIn(world, 'orders'), ['orphan'])
  assert.ok(await world.deployment('orders'))
})

test('a bridge from before the finalizer gets it although its Secret is missing now', async () => {
  const world = await aRunningBridge('orders')
  const stored = await world.get('orders')
  assert.ok(stored)
  await world.people.setFinalizers(streamBridges, stored, [])
  await deleteCredentials(world)
  world.restart()
  await world.reconcile('orders')
  assert.deepEqual(await finalizersIn(world, 'orders'), [drainFinalizer])
})

test('after a crash at any write of the deletion the next operator ends it', async () => {
  const start = async (): Promise<World> => {
    const world = await aRunningBridge('clicks', leased)
    await deleteBridge(world, 'clicks')
    return world
  }
  const plain = await start()
  const calls: Call[] = []
  plain.restart(recording(plain.cluster, calls))
  await plain.run('clicks', 10_000)
  const writes = writesIn(calls).length
  assert.ok(writes >= 3, `${writes} writes`)
  for (let k = 1; k <= writes; k += 1)
    for (const fault of [crashAfterWrite, conflictOnWrite, errorAfterWrite]) {
      const world = await start()
      world.restart(fault(world.cluster, k))
      await world.run('clicks', 10_000).catch(() => undefined)
      world.restart()
      await world.run('clicks', 10_000)
      await assertGone(world, 'clicks')
    }
})

test('a crash between the finalizer and the first object leaves a bridge that can be deleted', async () => {
  const world = aWorld()
  await world.people.create(secrets, credentials)
  await world.people.create(streamBridges, aBridge('orders'))
  world.restart(crashAfterWrite(world.cluster, 1))
  await world.reconcile('orders').catch(() => undefined)
  assert.deepEqual(await finalizersIn(world, 'orders'), [drainFinalizer])
  await deleteBridge(world, 'orders')
  world.restart()
  await world.reconcile('orders')
  await assertGone(world, 'orders')
})
