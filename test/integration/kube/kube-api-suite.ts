/** What every KubeApi does: run against the in-process one and against a real API server, so that the former is honest. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { KubeApi, KubeObject, WatchEvent } from '../../../operator/kube/api.ts'
import { type ConfigMap, configMaps, leases, serviceAccounts } from '../../../operator/kube/resources.ts'
import { kindTests } from './kind-tests.ts'
import { refused, uniqueName } from './refused.ts'
import { eventually } from '../../support/eventually.ts'

export interface KubeUnderTest {
  /** As field manager `streambridge`. */
  readonly api: KubeApi
  /** The same cluster under another field manager. */
  as(manager: string): KubeApi
  /** A namespace nobody else uses. */
  namespace(): Promise<string>
  close(): Promise<void>
}

/** The events of a watch, until there are `count`. */
async function collect<T extends KubeObject>(events: AsyncIterable<WatchEvent<T>>, count: number): Promise<string[]> {
  const seen: string[] = []
  for await (const event of events) {
    if (event.type !== 'BOOKMARK') seen.push(`${event.type} ${event.object.metadata.name}`)
    if (seen.length === count) break
  }
  return seen
}

export function kubeApiSuite(title: string, open: () => Promise<KubeUnderTest>): void {
  describe(title, () => {
    let kube: KubeUnderTest
    let api: KubeApi
    let namespace: string
    const configMap = (name: string, data?: Record<string, string>, labels?: Record<string, string>): ConfigMap => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace, ...(labels === undefined ? {} : { labels }) },
      ...(data === undefined ? {} : { data }),
    })
    before(async () => {
      kube = await open()
      api = kube.api
      namespace = await kube.namespace()
    })
    after(() => kube.close())

    test('what does not exist is undefined', async () => {
      assert.equal(await api.get(configMaps, { namespace, name: 'absent' }), undefined)
      assert.equal(await api.get(configMaps, { namespace: 'no-such-namespace', name: 'absent' }), undefined)
    })

    test('an apply creates the object, and the same again writes nothing', async () => {
      const first = await api.apply(configMaps, configMap('applied', { a: '1' }, { app: 'x' }))
      assert.deepEqual([first.apiVersion, first.kind, first.data], ['v1', 'ConfigMap', { a: '1' }])
      assert.ok(first.metadata.uid !== undefined && first.metadata.creationTimestamp !== undefined)
      const second = await api.apply(configMaps, configMap('applied', { a: '1' }, { app: 'x' }))
      assert.deepEqual(second, first)
      assert.deepEqual(await api.get(configMaps, { namespace, name: 'applied' }), first)
      assert.ok(!('managedFields' in first.metadata))
    })

    test('a field that is no longer applied vanishes, and what another manager set stays', async () => {
      await api.apply(configMaps, configMap('shared', { mine: '1', gone: '1' }, { gone: '1' }))
      await kube.as('other').apply(configMaps, configMap('shared', { theirs: '2' }))
      const stored = await api.apply(configMaps, configMap('shared', { mine: '1' }))
      assert.deepEqual(stored.data, { mine: '1', theirs: '2' })
      assert.equal(stored.metadata.labels, undefined)
    })

    test('an apply takes a field over, and its former owner no longer removes it', async () => {
      await kube.as('other').apply(configMaps, configMap('taken', { field: 'theirs', other: '1' }))
      await api.apply(configMaps, configMap('taken', { field: 'mine' }))
      const stored = await kube.as('other').apply(configMaps, configMap('taken', { other: '1' }))
      assert.deepEqual(stored.data, { field: 'mine', other: '1' })
    })

    test('what an update changed is no longer removed by the applier', async () => {
      await api.apply(configMaps, configMap('edited', { field: '1', keep: '1' }))
      const stored = await api.get(configMaps, { namespace, name: 'edited' })
      assert.ok(stored !== undefined)
      await kube.as('editor').replace(configMaps, { ...stored, data: { ...stored.data, field: '2' } })
      assert.deepEqual((await api.apply(configMaps, configMap('edited', { keep: '1' }))).data, {
        field: '2',
        keep: '1',
      })
    })

    test('an apply with the UID of another object is refused', async () => {
      const stored = await api.apply(configMaps, configMap('guarded', { a: '1' }))
      const foreign = {
        ...configMap('guarded', { a: '2' }),
        metadata: { name: 'guarded', namespace, uid: randomUUID() },
      }
      await assert.rejects(api.apply(configMaps, foreign), refused(422, 'Invalid', /metadata\.uid.*field is immutable/))
      const same = { ...foreign, metadata: { ...foreign.metadata, uid: stored.metadata.uid ?? '' } }
      assert.deepEqual((await api.apply(configMaps, same)).data, { a: '2' })
    })

    test('an apply with a UID does not bring back what was deleted', async () => {
      const gone = { ...configMap('deleted', { a: '2' }), metadata: { name: 'deleted', namespace, uid: randomUUID() } }
      await assert.rejects(api.apply(configMaps, gone), refused(409, 'Conflict'))
      assert.equal(await api.get(configMaps, { namespace, name: 'deleted' }), undefined)
    })

    test('an apply with an old resource version is refused', async () => {
      const stored = await api.apply(configMaps, configMap('versioned', { a: '1' }))
      await kube.as('other').apply(configMaps, configMap('versioned', { b: '1' }))
      const { resourceVersion = '' } = stored.metadata
      const old = { ...configMap('versioned', { a: '2' }), metadata: { name: 'versioned', namespace, resourceVersion } }
      await assert.rejects(api.apply(configMaps, old), refused(409, 'Conflict'))
    })

    test('creating what exists is refused', async () => {
      await api.create(configMaps, configMap('once'))
      await assert.rejects(
        api.create(configMaps, configMap('once')),
        refused(409, 'AlreadyExists', /configmaps "once" already exists/),
      )
    })

    test('of several replacements of one version exactly one wins', async () => {
      const lease = { apiVersion: leases.apiVersion, kind: leases.kind, metadata: { name: 'raced', namespace } }
      const stored = await api.create(leases, lease)
      const results = await Promise.allSettled(
        ['a', 'b', 'c', 'd', 'e'].map((holderIdentity) => api.replace(leases, { ...stored, spec: { holderIdentity } })),
      )
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
      for (const result of results)
        if (result.status === 'rejected') refused(409, 'Conflict', /the object has been modified/)(result.reason)
    })

    test('a replacement removes what it leaves out', async () => {
      const stored = await api.create(configMaps, configMap('replaced', { a: '1', b: '2' }, { x: '1' }))
      const { resourceVersion = '' } = stored.metadata
      const next = { ...configMap('replaced', { b: '3' }), metadata: { name: 'replaced', namespace, resourceVersion } }
      const result = await api.replace(configMaps, next)
      assert.deepEqual([result.data, result.metadata.labels], [{ b: '3' }, undefined])
      assert.equal(result.metadata.uid, stored.metadata.uid)
    })

    test('replacing what is gone is refused', async () => {
      const metadata = { name: 'never', namespace, resourceVersion: '1' }
      await assert.rejects(api.replace(configMaps, { ...configMap('never'), metadata }), refused(404, 'NotFound'))
    })

    test('a deletion of another UID or version is refused, and of nothing succeeds', async () => {
      const { metadata } = await api.create(configMaps, configMap('doomed'))
      const { uid = '', resourceVersion = '' } = metadata
      const key = { namespace, name: 'doomed' }
      await assert.rejects(api.remove(configMaps, key, { uid: randomUUID() }), refused(409, 'Conflict'))
      await api.apply(configMaps, configMap('doomed', { a: '1' }))
      await assert.rejects(api.remove(configMaps, key, { uid, resourceVersion }), refused(409, 'Conflict'))
      await api.remove(configMaps, key, { uid })
      assert.equal(await api.get(configMaps, key), undefined)
      await api.remove(configMaps, key, { uid })
    })

    test('a finalizer delays the deletion until it is taken off', async () => {
      const key = { namespace, name: 'finalized' }
      const wanted = configMap('finalized')
      const { metadata } = await api.create(configMaps, {
        ...wanted,
        metadata: { ...wanted.metadata, finalizers: ['streambridge.dev/test'] },
      })
      await api.remove(configMaps, key, { uid: metadata.uid ?? '' })
      const marked = await api.get(configMaps, key)
      assert.ok(marked?.metadata.deletionTimestamp !== undefined)
      await api.replace(configMaps, { ...marked, metadata: { ...marked.metadata, finalizers: [] } })
      assert.equal(await api.get(configMaps, key), undefined)
    })

    test('finalizers are set alone, whoever put them, and only on the object that was read', async () => {
      const key = { namespace, name: 'held' }
      const made = await api.create(configMaps, configMap('held', { a: '1' }))
      const held = await api.setFinalizers(configMaps, made, ['streambridge.dev/test'])
      assert.deepEqual([held.data, held.metadata.finalizers], [{ a: '1' }, ['streambridge.dev/test']])
      await assert.rejects(api.setFinalizers(configMaps, made, []), refused(409, 'Conflict'))
      const other = { ...configMap('held'), metadata: { ...key, finalizers: ['streambridge.dev/test'] } }
      const shared = await kube.as('other').apply(configMaps, other)
      await api.remove(configMaps, key, { uid: made.metadata.uid ?? '' })
      const marked = await api.get(configMaps, key)
      await api.setFinalizers(configMaps, marked ?? shared, [])
      assert.equal(await api.get(configMaps, key), undefined)
      await assert.rejects(api.setFinalizers(configMaps, shared, []), refused(404, 'NotFound'))
    })

    test('an object goes with the last of its owners', async () => {
      const owner = await api.create(configMaps, configMap('owner'))
      const { name, uid = '' } = owner.metadata
      const reference = { apiVersion: 'v1', kind: 'ConfigMap', name, uid }
      const metadata = { name: 'owned', namespace, ownerReferences: [reference] }
      await api.apply(serviceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata })
      await api.remove(configMaps, { namespace, name }, { uid })
      await eventually(
        'the owned object is gone',
        () => api.get(serviceAccounts, { namespace, name: 'owned' }),
        (found) => found === undefined,
      )
    })

    test('a list selects by namespace, label and name, and its items say what they are', async () => {
      const other = await kube.namespace()
      const group = uniqueName()
      await api.apply(configMaps, configMap('l1', {}, { group, tier: 'a' }))
      await api.apply(configMaps, configMap('l2', {}, { group, tier: 'b' }))
      await api.apply(configMaps, {
        ...configMap('l3', {}),
        metadata: { name: 'l3', namespace: other, labels: { group } },
      })
      const names = async (labelSelector: string, within?: string, fieldSelector?: string): Promise<string> => {
        const options = { labelSelector, ...(within === undefined ? {} : { namespace: within }) }
        const field = fieldSelector === undefined ? {} : { fieldSelector }
        const { items } = await api.list(configMaps, { ...options, ...field })
        for (const item of items) assert.deepEqual([item.apiVersion, item.kind], ['v1', 'ConfigMap'])
        return items
          .map(({ metadata }) => metadata.name)
          .sort()
          .join(' ')
      }
      assert.equal(await names(`group=${group}`), 'l1 l2 l3')
      assert.equal(await names(`group=${group}`, namespace), 'l1 l2')
      assert.equal(await names(`group=${group},tier in (a, c)`), 'l1')
      assert.equal(await names(`group=${group},tier notin (a)`), 'l2 l3')
      assert.equal(await names(`group=${group},!tier`), 'l3')
      assert.equal(await names(`group=${group},tier`), 'l1 l2')
      assert.equal(await names(`group=${group},tier!=a`), 'l2 l3')
      assert.equal(await names(`group=${group}`, namespace, 'metadata.name=l2'), 'l2')
    })

    test('a watch continues from a list: what is added, changed and deleted since, in order', async () => {
      const labels = { watched: uniqueName() }
      const selection = { namespace, labelSelector: `watched=${labels.watched}` }
      const { resourceVersion } = await api.list(configMaps, selection)
      const first = await api.apply(configMaps, configMap('w1', { a: '1' }, labels))
      const signal = new AbortController()
      const options = { ...selection, resourceVersion, timeoutSeconds: 60 }
      const seen = collect(api.watch(configMaps, options, signal.signal), 5)
      await api.apply(configMaps, configMap('unselected', { a: '1' }))
      await api.apply(configMaps, configMap('w1', { a: '2' }, labels))
      await api.apply(configMaps, configMap('w2', { a: '1' }, labels))
      await api.remove(configMaps, { namespace, name: 'w1' }, { uid: first.metadata.uid ?? '' })
      await api.apply(configMaps, configMap('w2', { a: '1' }, { watched: 'no-more' }))
      assert.deepEqual(await seen, ['ADDED w1', 'MODIFIED w1', 'ADDED w2', 'DELETED w1', 'DELETED w2'])
      signal.abort()
    })

    test('the version of a deletion is newer than the object it shows', async () => {
      const { resourceVersion } = await api.list(configMaps, { namespace })
      const { metadata } = await api.create(configMaps, configMap('versions'))
      await api.remove(configMaps, { namespace, name: 'versions' }, { uid: metadata.uid ?? '' })
      const options = { namespace, resourceVersion, timeoutSeconds: 60, fieldSelector: 'metadata.name=versions' }
      const versions: number[] = []
      for await (const event of api.watch(configMaps, options, new AbortController().signal)) {
        if (event.type === 'BOOKMARK') continue
        versions.push(Number(event.object.metadata.resourceVersion))
        if (event.type === 'DELETED') break
      }
      assert.equal(versions.length, 2)
      assert.ok((versions[1] ?? 0) > (versions[0] ?? 0), versions.join(' '))
    })

    test('a watch ends by itself after its time, without an error', async () => {
      const { resourceVersion } = await api.list(configMaps, { namespace })
      const events = api.watch(
        configMaps,
        { namespace, resourceVersion, timeoutSeconds: 1 },
        new AbortController().signal,
      )
      assert.deepEqual(await collect(events, 1), [])
    })

    test('a watch ends when it is aborted, without an error', async () => {
      const { resourceVersion } = await api.list(configMaps, { namespace })
      const stop = new AbortController()
      const options = { namespace, resourceVersion, timeoutSeconds: 60, fieldSelector: 'metadata.name=nothing' }
      const seen = collect(api.watch(configMaps, options, stop.signal), 1)
      setImmediate(() => stop.abort())
      assert.deepEqual(await seen, [])
    })

    kindTests(() => ({ api, namespace }))
  })
}
