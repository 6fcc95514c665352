import assert from 'node:assert/strict'
import test from 'node:test'
import { secrets, streamBridges } from '../kube/resources.ts'
import { type Allowed, isAllowed } from './allowed.ts'
import {
  aBridge,
  aRunningBridge,
  aSpec,
  aWorld,
  credentials,
  edit,
  phaseIn,
  said,
  type World,
} from '../../test/support/operator-world.ts'
import type { StreamBridgeSpecInput } from '../../crds/schema/streambridge.ts'

const allowed: Allowed = {
  images: ['ghcr.io/acme/*', 'mirror.local/streambridge@sha256:*'],
  serviceAccounts: ['bridge-*'],
}

async function applied(spec: Partial<StreamBridgeSpecInput>): Promise<World> {
  const world = aWorld({ allowed })
  await world.people.create(secrets, credentials)
  await world.people.create(streamBridges, aBridge('orders', aSpec(spec)))
  await world.reconcile('orders')
  return world
}

test('an image that the operator does not allow is refused with its field and the patterns, and no pod is made', async () => {
  const world = await applied({ image: 'evil.example/shell:1' })
  assert.equal(
    await said(world, 'orders', 'ConfigValid'),
    'False/NotAllowed: spec.image: "evil.example/shell:1" is not allowed; this operator allows ghcr.io/acme/*, mirror.local/streambridge@sha256:*, and its own image where none is named',
  )
  assert.equal(await world.deployment('orders'), undefined)
  assert.equal(await phaseIn(world, 'orders'), 'Failed')
})

test('a ServiceAccount that the operator does not allow is refused with its field and the patterns', async () => {
  const world = await applied({ serviceAccountName: 'cluster-admin' })
  assert.equal(
    await said(world, 'orders', 'ConfigValid'),
    'False/NotAllowed: spec.serviceAccountName: "cluster-admin" is not allowed; this operator allows bridge-*, and one of its own making where none is named',
  )
  assert.equal(await world.deployment('orders'), undefined)
})

test('a bridge whose image and ServiceAccount are allowed, or not named, runs', async () => {
  for (const spec of [{}, { image: 'ghcr.io/acme/a/b:2' }, { serviceAccountName: 'bridge-orders' }]) {
    const world = await applied(spec)
    assert.match(await said(world, 'orders', 'ConfigValid'), /^True/)
    assert.notEqual(await world.deployment('orders'), undefined)
  }
})

test('an edit to what is not allowed changes nothing that runs', async () => {
  const world = await aRunningBridge('orders', aSpec(), { allowed })
  const before = (await world.deployment('orders'))?.spec
  await edit(world, 'orders', (spec) => ({ ...spec, image: 'evil.example/shell:1' }))
  assert.match(await said(world, 'orders', 'ConfigValid'), /^False\/NotAllowed/)
  assert.deepEqual((await world.deployment('orders'))?.spec, before)
})

test('a pattern matches the whole name, and only its stars are wildcards', () => {
  assert.equal(isAllowed('anything', []), true)
  assert.equal(isAllowed('evil.example/ghcr.io/acme/x', ['ghcr.io/acme/*']), false)
  assert.equal(isAllowed('ghcrXio/acme/x', ['ghcr.io/acme/*']), false)
  assert.equal(isAllowed('ghcr.io/acme/x\n@evil', ['ghcr.io/acme/x']), false)
  assert.equal(isAllowed('a-x-b', ['a-*-b']), true)
})
