import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import { kubernetesLeases } from '../../../bridge-runtime/leases/kubernetes.ts'
import { kubernetesRequest } from '../../../bridge-runtime/leases/kubernetes-request.ts'
import { type KubeApiServer, startKubeApiServer } from '../../support/kube-api-server.ts'
import { leaseStoreSuite } from '../../support/leases/lease-store-suite.ts'
import { uniqueName } from '../../support/shared-servers.ts'

let server: KubeApiServer
let account: string

before(async () => {
  server = await startKubeApiServer()
  account = await mkdtemp(join(tmpdir(), 'account-'))
  await writeFile(join(account, 'token'), server.token)
  await writeFile(join(account, 'ca.crt'), server.ca)
})

after(async () => {
  await server.stop()
  await rm(account, { recursive: true, force: true })
})

const storeOf = (bridge: string, uid: string) =>
  kubernetesLeases({
    namespace: 'default',
    bridge,
    uid,
    request: kubernetesRequest({ url: server.url, accountDirectory: account }),
    now: Date.now,
  })

leaseStoreSuite('a real API server', async () => {
  const bridge = uniqueName('orders')
  return () => storeOf(bridge, '7f0c1d3e-0000-4000-8000-000000000001')
})

test('a Lease says who reads which partition, and belongs to the StreamBridge', async () => {
  const bridge = uniqueName('orders')
  const store = storeOf(bridge, '7f0c1d3e-0000-4000-8000-000000000002')
  const lease = await store.acquire(await store.create('shardId-000000000000'), 'orders-5d9f-abcde')
  await store.checkpoint(lease, { position: '4959', ended: false })
  const list = JSON.parse(
    await server.kubectl(['get', 'leases', '-l', `streambridge.dev/bridge=${bridge}`, '-o', 'json']),
  )
  const [{ metadata, spec }] = list.items
  assert.match(metadata.name, new RegExp(`^${bridge}-[0-9a-f]{10}$`))
  assert.equal(metadata.annotations['streambridge.dev/partition'], 'shardId-000000000000')
  assert.equal(metadata.annotations['streambridge.dev/checkpoint'], '{"position":"4959","ended":false}')
  assert.deepEqual([spec.holderIdentity, spec.leaseTransitions], ['orders-5d9f-abcde', 1])
  const [reference] = metadata.ownerReferences
  assert.deepEqual([reference.kind, reference.name, reference.blockOwnerDeletion], ['StreamBridge', bridge, undefined])
})
