import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { apiObjects, type StoredTestObject } from '../../test/support/leases/api-objects.ts'
import { historyOn } from '../../test/support/leases/history.ts'
import { isFencedError } from '../../test/support/leases/lease-store-suite.ts'
import { beginning } from '../history/content.ts'
import { fileLeases } from './file/file.ts'
import { kubernetesLeases } from './kubernetes/kubernetes.ts'
import { objectNameOf } from './kubernetes/objects.ts'
import { historyLease } from './history-lease.ts'

const positioned = { position: '7', ended: false, stream: '1 stream orders -' }

test('files: one that is damaged is told, holds up no other, and is overwritten only by a write', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'leases-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  const store = fileLeases(directory)
  for (const partition of ['a', 'b'])
    await store.checkpoint(await store.acquire(await store.create(partition), 'x'), positioned)
  const newest = (await readdir(join(directory, 'p-a'))).map(Number).sort((a, b) => b - a)[0]
  await writeFile(join(directory, 'p-a', String(newest)), '{"partition":"a","pos')
  await writeFile(join(directory, 'a note'), 'of a person')
  const leases = new Map((await store.list()).map((lease) => [lease.partition, lease]))
  assert.equal(leases.get('b')?.checkpoint.position, '7')
  const damaged = leases.get('a') ?? assert.fail()
  assert.match(damaged.unreadable ?? '', /is damaged/)
  assert.equal(damaged.checkpoint.position, undefined)
  assert.equal((await store.create('a')).unreadable, damaged.unreadable)
  const { unreadable: _, ...readable } = damaged
  const taken = await store.acquire({ ...readable, checkpoint: positioned }, 'y')
  assert.ok(taken.epoch > 1, 'no epoch is used twice')
  assert.equal((await store.list()).find(({ partition }) => partition === 'a')?.unreadable, undefined)
})

const storeOn = ({ request }: ReturnType<typeof apiObjects>, uid = 'uid-1') =>
  kubernetesLeases({ namespace: 'shop', bridge: 'orders', uid, request, now: () => 0 })

/** Partitions that share an object. */
function sharing(): readonly [string, string] {
  const names = new Map<string, string>()
  for (let number = 0; ; number += 1) {
    const partition = `shard-${number}`
    const name = objectNameOf('orders', partition)
    const before = names.get(name)
    if (before !== undefined) return [before, partition]
    names.set(name, partition)
  }
}

const annotationsOf = (object: StoredTestObject): Record<string, string> =>
  object.metadata.annotations as Record<string, string>

test('Kubernetes: an annotation that is damaged is told, and the others of its object are read', async () => {
  const api = apiObjects()
  const store = storeOn(api)
  const [a, b] = sharing()
  for (const partition of [a, b])
    await store.checkpoint(await store.acquire(await store.create(partition), 'x'), positioned)
  assert.equal(api.stored.size, 1, 'they share an object')
  const [object] = [...api.stored.values()]
  assert.ok(object)
  const [key = ''] = Object.entries(annotationsOf(object)).find(([, text]) => text.includes(`"${a}"`)) ?? []
  api.edit(object, { ...annotationsOf(object), [key]: '{"partition":' })
  const leases = new Map((await store.list()).map((lease) => [lease.partition, lease]))
  assert.equal(leases.get(b)?.checkpoint.position, '7')
  const damaged = leases.get(a) ?? assert.fail()
  assert.match(damaged.unreadable ?? '', /is damaged/)
  assert.equal((await store.create(a)).unreadable, damaged.unreadable)
  const { unreadable: _, ...readable } = damaged
  const taken = await store.acquire({ ...readable, checkpoint: positioned }, 'y')
  assert.equal(taken.epoch, 2)
  await assert.rejects(store.acquire({ ...readable, checkpoint: positioned }, 'z'), isFencedError)
})

test('Kubernetes: writers of one object do not fence each other, and each its own rival', async () => {
  const api = apiObjects()
  const [one, two] = [storeOn(api), storeOn(api)]
  const [a, b] = sharing()
  let first = await one.acquire(await one.create(a), 'x')
  let second = await two.acquire(await two.create(b), 'y')
  for (let round = 0; round < 5; round += 1) {
    first = await one.checkpoint(first, { ...positioned, position: `${round}` })
    second = await two.checkpoint(second, { ...positioned, position: `${round}` })
  }
  const rival = await two.acquire(first, 'y')
  await assert.rejects(one.checkpoint(first, positioned), isFencedError)
  await two.remove(rival)
  assert.deepEqual(
    (await one.list()).map(({ partition }) => partition),
    [b],
  )
  await two.remove(second)
  assert.equal(api.stored.size, 0, 'an object that holds nothing is deleted')
})

test('Kubernetes: the history outlives a deletion by label, and one that is damaged is no beginning', async () => {
  const api = apiObjects()
  const store = storeOn(api)
  await historyOn(store).change(beginning('Latest', []))
  await store.create('a')
  for (const [path, { metadata }] of api.stored) if (metadata.labels !== undefined) api.stored.delete(path)
  assert.equal((await historyOn(store).recall())?.start, 'Latest')
  const [object] = [...api.stored.values()]
  assert.ok(object)
  const damaged = Object.fromEntries(
    Object.entries(annotationsOf(object)).map(([key, text]) => [key, key.startsWith('lease.') ? 'x' : text]),
  )
  api.edit(object, damaged)
  await assert.rejects(historyOn(storeOn(api)).recall(), { reason: 'HistoryUnreadable' })
  assert.equal((await store.list()).find(({ partition }) => partition === historyLease)?.checkpoint.position, undefined)
})

test('Kubernetes: the leases of an older version are read until their partition is taken, and never written', async () => {
  const api = apiObjects()
  const former = api.put('orders-0123456789', {
    labels: { 'streambridge.dev/bridge': 'orders' },
    annotations: {
      'streambridge.dev/partition': 'a',
      'streambridge.dev/checkpoint': '{"position":"7","ended":false}',
      'streambridge.dev/renewals': '4',
    },
    ownerReferences: [{ kind: 'StreamBridge', uid: 'uid-1' }],
  })
  const store = storeOn(api)
  const [lease] = await store.list()
  assert.ok(lease)
  assert.deepEqual([lease.partition, lease.checkpoint.position], ['a', '7'])
  const taken = await store.acquire(lease, 'x')
  assert.equal(taken.checkpoint.position, '7')
  await assert.rejects(storeOn(api).acquire(lease, 'y'), isFencedError)
  const moved = await store.checkpoint(taken, { position: '8', ended: false })
  assert.deepEqual(await store.list(), [moved])
  assert.deepEqual(api.stored.get(former.path), former.object)
})
