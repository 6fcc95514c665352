import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { silentLogger } from '../../bridge-runtime/observability/logger.ts'
import { fakeClock } from '../../test/support/fake-clock.ts'
import { createEmbeddedKube } from '../embedded/api-server/api.ts'
import { disturbWatches, interfere } from '../../test/support/kube-faults.ts'
import { type KubeApi, KubeError, type KubeObject, type WatchEvent } from './api.ts'
import { type ConfigMap, configMaps } from './resources.ts'
import { startWatch } from './watch.ts'

const configMap = (name: string, value = '1'): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'shop' },
  data: { value },
})

const unreachable = new KubeError('connect ECONNREFUSED', { status: 0, reason: 'Unreachable' })

function start(wrap: (api: KubeApi) => KubeApi = (api) => api, onChange?: (object: ConfigMap) => void) {
  const clock = fakeClock()
  const kube = createEmbeddedKube({ clock })
  const seen: string[] = []
  let lists = 0
  const counted = interfere(kube, { before: ({ verb }) => void (lists += verb === 'list' ? 1 : 0) })
  const present = new Set<string>()
  const watch = startWatch({
    api: wrap(counted),
    resource: configMaps,
    clock,
    random: () => 0.5,
    logger: silentLogger,
    onChange: (object, change) => {
      const { name } = object.metadata
      seen.push(`${name} ${change}`)
      if (change === 'present') present.add(name)
      else present.delete(name)
      onChange?.(object)
    },
  })
  const names = (): string => [...present].sort().join(' ')
  const remove = async (name: string): Promise<void> => {
    const found = await kube.get(configMaps, { namespace: 'shop', name })
    await kube.remove(configMaps, { namespace: 'shop', name }, { uid: found?.metadata.uid ?? '' })
  }
  return { clock, kube, seen, watch, names, remove, lists: () => lists }
}

test('objects that exist, are added or are deleted are reported', async () => {
  const { clock, kube, seen, watch, names, remove } = start()
  await kube.apply(configMaps, configMap('a'))
  await watch.synced
  await kube.apply(configMaps, configMap('b'))
  await kube.apply(configMaps, configMap('a', '2'))
  await clock.advance(0)
  await remove('b')
  await clock.advance(0)
  assert.deepEqual(seen, ['a present', 'b present', 'a present', 'b gone'])
  assert.equal(names(), 'a')
  await watch.stop()
})

test('a watch that ends in time goes on where it was, without a list', async () => {
  const { clock, kube, seen, watch, lists } = start()
  await watch.synced
  await clock.advance(280_000)
  await kube.apply(configMaps, configMap('a'))
  await clock.advance(0)
  assert.deepEqual([seen, lists()], [['a present'], 1])
  assert.ok(watch.lastSync() < 1_000)
  await watch.stop()
})

test('everything is listed again every ten minutes', async () => {
  const { clock, watch, lists } = start()
  await clock.advance(3_600_000)
  assert.ok(lists() >= 6 && lists() <= 7, String(lists()))
  await watch.stop()
})

test('a version that is too old leads to a new list, which shows what was missed', async () => {
  const { clock, kube, seen, watch, names, remove } = start((api) => {
    let cut = false
    return disturbWatches(api, (event) => {
      if (cut) return [event]
      cut = true
      return 'gone'
    })
  })
  await kube.apply(configMaps, configMap('a'))
  await watch.synced
  await remove('a')
  await kube.apply(configMaps, configMap('b'))
  kube.compact()
  await clock.advance(2_000)
  assert.equal(names(), 'b')
  assert.ok(seen.includes('a gone'), seen.join())
  await watch.stop()
})

test('an API server that is unreachable is asked with growing waits until it answers', async () => {
  let away = true
  const attempts: number[] = []
  const { clock, watch, kube, seen } = start((api) =>
    interfere(api, {
      before: () => {
        attempts.push(clock.monotonic())
        if (away) throw unreachable
      },
    }),
  )
  await clock.advance(600_000)
  assert.ok(attempts.length <= 34, `${attempts.length} requests in ten minutes`)
  assert.equal(watch.lastSync(), Infinity)
  away = false
  await kube.apply(configMaps, configMap('a'))
  await clock.advance(30_000)
  assert.deepEqual(seen, ['a present'])
  await watch.stop()
})

test('a server that sends Retry-After is not asked sooner', async () => {
  let refusals = 0
  const { clock, watch } = start((api) =>
    interfere(api, {
      before: () => {
        refusals += 1
        throw new KubeError('busy', { status: 429, reason: 'TooManyRequests', retryAfterMilliseconds: 60_000 })
      },
    }),
  )
  await clock.advance(179_000)
  assert.equal(refusals, 3)
  await watch.stop()
})

test('a watch that works but ends at once is no busy loop', async () => {
  const { clock, watch, lists } = start((api) => ({ ...api, watch: async function* () {} }))
  await clock.advance(600_000)
  assert.ok(lists() <= 34, `${lists()} lists in ten minutes`)
  await watch.stop()
})

test('a watch that falls silent is given up', async () => {
  let silent = true
  const { clock, kube, watch, names } = start((api) => ({
    ...api,
    watch: (resource, options, signal) => {
      if (!silent) return api.watch(resource, options, signal)
      silent = false
      return { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }) }
    },
  }))
  await watch.synced
  await kube.apply(configMaps, configMap('a'))
  await clock.advance(239_000)
  assert.equal(names(), '')
  await clock.advance(2_000)
  assert.equal(names(), 'a')
  await watch.stop()
})

test('an object whose handler throws does not stop the watch', async () => {
  const { clock, kube, watch, names } = start(undefined, ({ metadata }) => {
    if (metadata.name === 'bad') throw new Error('cannot read')
  })
  await kube.apply(configMaps, configMap('bad'))
  await watch.synced
  await kube.apply(configMaps, configMap('good'))
  await clock.advance(0)
  assert.equal(names(), 'bad good')
  await watch.stop()
})

test('stop ends a watch that hangs', async () => {
  const { watch } = start((api) => ({
    ...api,
    watch: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }) }),
  }))
  await watch.synced
  await watch.stop()
})

test('dropped, doubled and reordered events are made up for by the next list', async () => {
  const steps = fc.array(fc.tuple(fc.constantFrom('put', 'remove'), fc.constantFrom('a', 'b', 'c')), { maxLength: 12 })
  const fates = fc.infiniteStream(fc.constantFrom('pass', 'drop', 'twice', 'hold', 'gone'))
  await fc.assert(
    fc.asyncProperty(steps, fates, async (steps, fates) => {
      let held: WatchEvent<KubeObject>[] = []
      const { clock, kube, watch, names, remove } = start((api) =>
        disturbWatches(api, (event) => {
          const fate = fates.next().value
          if (fate === 'gone' || fate === undefined) return 'gone'
          if (fate === 'drop') return []
          if (fate === 'hold') {
            held.push(event)
            return []
          }
          const late = held
          held = []
          return fate === 'twice' ? [event, event, ...late] : [event, ...late]
        }),
      )
      await watch.synced
      const present = new Set<string>()
      for (const [index, [what, name]] of steps.entries()) {
        if (what === 'put') await kube.apply(configMaps, configMap(name, String(index)))
        else await remove(name)
        if (what === 'put') present.add(name)
        else present.delete(name)
        await clock.advance(1)
      }
      await clock.advance(700_000)
      assert.equal(names(), [...present].sort().join(' '))
      await watch.stop()
    }),
    { numRuns: 50 },
  )
})
