import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { bridgeFile } from '../../crds/schema/bridge-file.ts'
import { spec } from '../../crds/schema/streambridge.ts'
import { bridgeFileOf } from '../../operator/streambridge/desired/config-map.ts'
import { openLeaseStore } from './catalog.ts'

const bridge = {
  namespace: 'shop',
  name: 'orders',
  uid: 'u',
  spec: spec.parse({ source: { generator: { records: 5 } }, sink: { console: {} } }),
}
const context = { namespace: 'shop', bridge: 'orders', uid: 'u', environment: {}, now: () => 0 }

test('a bridge keeps its leases where its file says, in Kubernetes unless it says otherwise', async (t) => {
  const written = bridgeFileOf(bridge)
  assert.equal('leases' in written, false, 'a default is not written: it would replace every pod at an upgrade')
  assert.deepEqual(bridgeFile.parse(written).leases, { kubernetes: {} })
  const directory = await mkdtemp(join(tmpdir(), 'leases-'))
  t.after(() => rm(directory, { recursive: true }))
  const { leases } = bridgeFile.parse(bridgeFileOf({ ...bridge, leases: { file: { directory } } }))
  const store = await openLeaseStore(leases, context)
  await store.create('0')
  assert.equal((await readdir(directory)).length, 1)
})

test('a bridge file names one store, and one that there is', () => {
  const refused = [{}, { kubernetes: {}, file: { directory: '/a' } }, { etcd: {} }, { file: {} }]
  for (const leases of refused)
    assert.equal(bridgeFile.safeParse({ ...bridgeFileOf(bridge), leases }).success, false, JSON.stringify(leases))
})
