import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeClock } from './fake-clock.ts'
import { KubeError } from '../../operator/kube/api.ts'
import { type ConfigMap, configMaps } from '../../operator/kube/resources.ts'
import { createEmbeddedKube } from '../../operator/embedded/api-server/api.ts'
import {
  type Call,
  conflictOnWrite,
  crashAfterWrite,
  errorAfterWrite,
  recording,
  staleReads,
  writesIn,
} from './kube-faults.ts'

const configMap = (name: string, value = '1'): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'shop' },
  data: { value },
})
const key = (name: string) => ({ namespace: 'shop', name })
const status = (wanted: number) => (error: unknown) => error instanceof KubeError && error.status === wanted
const cluster = () => createEmbeddedKube({ clock: fakeClock() })

test('after the crash nothing more happens, and what was written stays', async () => {
  const kube = cluster()
  const api = crashAfterWrite(kube, 2)
  await api.apply(configMaps, configMap('a'))
  await assert.rejects(api.apply(configMaps, configMap('b')), status(0))
  await assert.rejects(api.apply(configMaps, configMap('c')), status(0))
  await assert.rejects(api.get(configMaps, key('a')), status(0))
  const names = (await kube.list(configMaps)).items.map(({ metadata }) => metadata.name)
  assert.deepEqual(names, ['a', 'b'])
})

test('a conflict comes before the write, and only once', async () => {
  const kube = cluster()
  const api = conflictOnWrite(kube, 1)
  await assert.rejects(api.apply(configMaps, configMap('a')), status(409))
  assert.equal(await kube.get(configMaps, key('a')), undefined)
  await api.apply(configMaps, configMap('a'))
})

test('an error after the write leaves it written', async () => {
  const kube = cluster()
  await assert.rejects(errorAfterWrite(kube, 1).apply(configMaps, configMap('a')), status(500))
  assert.ok((await kube.get(configMaps, key('a'))) !== undefined)
})

test('stale reads show the past until refreshed', async () => {
  const api = staleReads(cluster())
  assert.equal(await api.get(configMaps, key('a')), undefined)
  await api.apply(configMaps, configMap('a'))
  assert.equal(await api.get(configMaps, key('a')), undefined)
  api.refresh()
  assert.ok((await api.get(configMaps, key('a'))) !== undefined)
})

test('calls are recorded in order, writes apart', async () => {
  const calls: Call[] = []
  const api = recording(cluster(), calls)
  await api.get(configMaps, key('a'))
  await api.apply(configMaps, configMap('a'))
  await api.list(configMaps)
  assert.deepEqual(
    calls.map(({ verb, name }) => [verb, name]),
    [
      ['get', 'a'],
      ['apply', 'a'],
      ['list', undefined],
    ],
  )
  assert.deepEqual(
    writesIn(calls).map(({ verb }) => verb),
    ['apply'],
  )
})

test('a watch from before a compaction gets 410', async () => {
  const kube = cluster()
  const { resourceVersion } = await kube.list(configMaps)
  await kube.apply(configMaps, configMap('a'))
  kube.compact()
  const events = kube.watch(configMaps, { resourceVersion, timeoutSeconds: 1 }, new AbortController().signal)
  await assert.rejects(events[Symbol.asyncIterator]().next(), status(410))
})

test('deletion reaches the children of children', async () => {
  const kube = cluster()
  const owned = (name: string, uid: string, owner: string): ConfigMap => {
    const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: owner, uid }
    return { ...configMap(name), metadata: { name, namespace: 'shop', ownerReferences: [reference] } }
  }
  const { metadata } = await kube.apply(configMaps, configMap('top'))
  const child = await kube.apply(configMaps, owned('child', metadata.uid ?? '', 'top'))
  await kube.apply(configMaps, owned('grandchild', child.metadata.uid ?? '', 'child'))
  await kube.remove(configMaps, key('top'), { uid: metadata.uid ?? '' })
  assert.deepEqual((await kube.list(configMaps)).items, [])
})

test('what was read cannot be changed in place', async () => {
  const kube = cluster()
  const stored = await kube.apply(configMaps, configMap('a'))
  assert.throws(() => Object.assign(stored.data ?? {}, { value: '2' }), TypeError)
})
