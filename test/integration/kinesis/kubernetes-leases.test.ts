import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import { kubernetesLeases } from '../../../bridge-runtime/lease-stores/kubernetes/kubernetes.ts'
import { type KubernetesRequest, kubernetesRequest } from '../../../bridge-runtime/lease-stores/kubernetes/request.ts'
import type { Bridge } from '../../../operator/streambridge/bridge.ts'
import { desiredRole } from '../../../operator/streambridge/desired/role.ts'
import { type KubeApiServer, startKubeApiServer } from '../../support/kube-api-server.ts'
import { leaseStoreSuite } from '../../support/leases/lease-store-suite.ts'
import { uniqueName } from '../../support/shared-servers.ts'
import { historyLease } from '../../../bridge-runtime/lease-stores/history-lease.ts'

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
  await store.checkpoint(lease, { position: '4959', ended: false, stream: '1 stream orders -' })
  await store.create(historyLease)
  const list = JSON.parse(
    await server.kubectl(['get', 'leases', '-l', `streambridge.dev/bridge=${bridge}`, '-o', 'json']),
  )
  assert.equal(list.items.length, 1, 'a deletion by label leaves the history')
  const [{ metadata, spec }] = list.items
  assert.match(metadata.name, new RegExp(`^${bridge}-lease-[0-9]{3}$`))
  assert.equal(metadata.annotations['streambridge.dev/partitions'], 'shardId-000000000000')
  assert.deepEqual([spec.holderIdentity, spec.leaseTransitions], ['orders-5d9f-abcde', 1])
  const [reference] = metadata.ownerReferences
  assert.deepEqual([reference.kind, reference.name, reference.blockOwnerDeletion], ['StreamBridge', bridge, undefined])
})

/** What the pods of a bridge may do, as the operator grants it. */
async function granted(bridge: string): Promise<KubernetesRequest> {
  const role = desiredRole({ name: bridge, namespace: 'default', uid: 'none' } as Bridge)
  const { rules } = role
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: bridge, namespace: 'default' } }
  const objects = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: bridge, namespace: 'default' } },
    { ...rbac, kind: 'Role', rules },
    {
      ...rbac,
      kind: 'RoleBinding',
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: bridge },
      subjects: [{ kind: 'ServiceAccount', name: bridge, namespace: 'default' }],
    },
  ]
  await server.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
  const directory = join(account, bridge)
  await mkdir(directory)
  await writeFile(join(directory, 'token'), await server.kubectl(['create', 'token', bridge]))
  await writeFile(join(directory, 'ca.crt'), server.ca)
  return kubernetesRequest({ url: server.url, accountDirectory: directory })
}

const uid = '7f0c1d3e-0000-4000-8000-000000000003'

leaseStoreSuite('a real API server, with the rights of a bridge’s pods', async () => {
  const bridge = uniqueName('orders')
  const request = await granted(bridge)
  return () => kubernetesLeases({ namespace: 'default', bridge, uid, request, now: Date.now })
})

test('the pods of a bridge may write their own Leases, and neither another bridge’s nor the operator’s', async () => {
  const [bridge, other] = [uniqueName('orders'), uniqueName('bills')]
  const request = await granted(bridge)
  const theirs = kubernetesLeases({ namespace: 'default', bridge: other, uid, request, now: Date.now })
  for (const write of [() => theirs.create('shardId-000000000000'), () => theirs.create(historyLease)])
    await assert.rejects(write(), { reason: 'LeaseStoreForbidden', kind: 'fatal' })
  const made = await storeOf(other, uid).create('shardId-000000000000')
  await assert.rejects(theirs.acquire(made, 'a'), { reason: 'LeaseStoreForbidden' })
  await assert.rejects(theirs.remove(made), { reason: 'LeaseStoreForbidden' })
  const { status } = await request(
    'PUT',
    '/apis/coordination.k8s.io/v1/namespaces/default/leases/streambridge-operator',
    {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'streambridge-operator', namespace: 'default' },
    },
  )
  assert.equal(status, 403)
  const posted = await request('POST', '/apis/coordination.k8s.io/v1/namespaces/default/leases', {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'streambridge-operator', namespace: 'default' },
  })
  assert.equal(posted.status, 403)
})
