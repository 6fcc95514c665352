import assert from 'node:assert/strict'
import test from 'node:test'
import { pods, secrets, streamBridges } from '../kube/resources.ts'
import { secretsAnnotation } from './desired/labels.ts'
import {
  aBridge,
  aRunningBridge,
  aSecret,
  aWorld,
  credentials,
  deleteCredentials,
  edit,
  inventory,
  ownedKinds,
  phaseIn,
  said,
} from '../../test/support/operator-world.ts'

test('a missing Secret is named before any pod starts, and its arrival starts them', async () => {
  const world = aWorld()
  await world.people.create(streamBridges, aBridge('orders'))
  await world.reconcile('orders')
  assert.match(
    await said(world, 'orders', 'CredentialsResolved'),
    /^False\/SecretNotFound: Secret "orders-kafka" does not exist/,
  )
  assert.match(await said(world, 'orders', 'Ready'), /^False\/SecretNotFound/)
  assert.equal(await phaseIn(world, 'orders'), 'Pending')
  assert.deepEqual(await inventory(world.cluster), [])
  await world.people.create(secrets, credentials)
  await world.run('orders', 40_000)
  assert.ok(await world.deployment('orders'))
  assert.match(await said(world, 'orders', 'CredentialsResolved'), /^True/)
})

test('a missing key is named with its Secret', async () => {
  const world = aWorld()
  await world.people.create(secrets, aSecret({ username: 'shop' }))
  await world.people.create(streamBridges, aBridge('orders'))
  await world.reconcile('orders')
  assert.match(
    await said(world, 'orders', 'CredentialsResolved'),
    /^False\/SecretKeyNotFound: Secret "orders-kafka" has no key "password"/,
  )
  assert.equal(await world.deployment('orders'), undefined)
})

test('a bridge keeps running when its Secret disappears', async () => {
  const world = await aRunningBridge('orders')
  const before = await world.deployment('orders')
  await deleteCredentials(world)
  await world.run('orders', 60_000)
  assert.deepEqual(await world.deployment('orders'), before)
  assert.match(await said(world, 'orders', 'CredentialsResolved'), /^False\/SecretNotFound/)
  assert.match(await said(world, 'orders', 'Ready'), /^True\/Flowing/)
  assert.equal(await phaseIn(world, 'orders'), 'Degraded')
})

test('a rotated Secret restarts the pods within a minute, a change of its labels does not', async () => {
  const world = await aRunningBridge('orders')
  const hash = async (): Promise<string | undefined> =>
    (await world.deployment('orders'))?.spec.template.metadata.annotations?.[secretsAnnotation]
  const before = await hash()
  await world.people.apply(secrets, { ...credentials, metadata: { ...credentials.metadata, labels: { team: 'a' } } })
  await world.run('orders', 60_000)
  assert.equal(await hash(), before)
  await world.people.apply(secrets, aSecret({ username: 'shop', password: 'changed' }))
  await world.run('orders', 60_000)
  assert.notEqual(await hash(), before)
  assert.ok(world.events.some(({ reason }) => reason === 'SecretsRotated'))
})

test('a key that the spec does not name may change without a restart', async () => {
  const world = await aRunningBridge('orders')
  const before = await world.deployment('orders')
  await world.people.apply(secrets, aSecret({ username: 'shop', password: 'hunter2-canary', other: 'x' }))
  await world.run('orders', 60_000)
  assert.deepEqual(await world.deployment('orders'), before)
})

test('a pause works without the Secret too', async () => {
  const world = await aRunningBridge('orders')
  await deleteCredentials(world)
  await edit(world, 'orders', (spec) => ({ ...spec, lifecycle: { desiredState: 'Paused' } }))
  assert.equal((await world.deployment('orders'))?.spec.replicas, 0)
})

test('no Secret value is in any object, event or status', async () => {
  const world = await aRunningBridge('orders')
  const everything = await Promise.all(
    [...ownedKinds, streamBridges, pods].map(async (resource) => (await world.cluster.list(resource)).items),
  )
  const text = JSON.stringify([everything, world.events])
  assert.ok(!text.includes('hunter2-canary'))
  assert.ok(!text.includes(Buffer.from('hunter2-canary').toString('base64')))
})
