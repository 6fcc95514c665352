import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { Deployment, Pod } from '../../kube/resources.ts'
import { deploymentStatus } from './status.ts'
import { countPods, isReady, limits, rolloutStep, templateHash, templateHashLabel } from './rollout.ts'

interface Shape {
  readonly replicas: number
  readonly image?: string
  readonly surge?: number | string
  readonly unavailable?: number | string
  readonly type?: 'RollingUpdate' | 'Recreate'
}

const deployment = ({
  replicas,
  image = '1',
  surge = 0,
  unavailable = 1,
  type = 'RollingUpdate',
}: Shape): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd', generation: 1 },
  spec: {
    replicas,
    selector: { matchLabels: {} },
    strategy: { type, rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } },
    template: { metadata: {}, spec: { containers: [{ name: 'c', image }] } },
  },
})

const pod = (name: string, of: Deployment, ready = true): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { [templateHashLabel]: templateHash(of) } },
  spec: of.spec.template.spec,
  status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
})

const next = (of: Deployment, pods: readonly Pod[]) => {
  const { create, remove } = rolloutStep(of, pods)
  return { create, remove: remove.map(({ metadata }) => metadata.name) }
}

test('a complete rollout changes nothing', () => {
  const current = deployment({ replicas: 2 })
  assert.deepEqual(next(current, [pod('a', current), pod('b', current)]), { create: 0, remove: [] })
})

test('a rollout without surge stops one pod before the new one starts', () => {
  const before = deployment({ replicas: 2 })
  const after = deployment({ replicas: 2, image: '2' })
  assert.deepEqual(next(after, [pod('a', before), pod('b', before)]), { create: 0, remove: ['b'] })
  assert.deepEqual(next(after, [pod('a', before)]), { create: 1, remove: [] })
})

test('a new pod that is not ready holds the rollout', () => {
  const before = deployment({ replicas: 2 })
  const after = deployment({ replicas: 2, image: '2' })
  assert.deepEqual(next(after, [pod('a', before), pod('new', after, false)]), { create: 0, remove: [] })
})

test('a broken old pod is replaced first', () => {
  const before = deployment({ replicas: 2 })
  const after = deployment({ replicas: 2, image: '2' })
  assert.deepEqual(next(after, [pod('broken', before, false), pod('fine', before)]).remove, ['broken'])
})

test('a rollout with surge starts the new pod first', () => {
  const before = deployment({ replicas: 1 })
  const after = deployment({ replicas: 1, image: '2', surge: 1, unavailable: 0 })
  assert.deepEqual(next(after, [pod('a', before)]), { create: 1, remove: [] })
  assert.deepEqual(next(after, [pod('a', before), pod('b', after, false)]), { create: 0, remove: [] })
  assert.deepEqual(next(after, [pod('a', before), pod('b', after)]), { create: 0, remove: ['a'] })
})

test('a terminating pod does not count', () => {
  const current = deployment({ replicas: 1 })
  const going = pod('a', current)
  const deleted = { ...going, metadata: { ...going.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }
  assert.deepEqual(next(current, [deleted]), { create: 1, remove: [] })
})

test('Recreate waits until the old pods are gone', () => {
  const before = deployment({ replicas: 1 })
  const after = deployment({ replicas: 1, image: '2', type: 'Recreate' })
  const old = pod('a', before)
  const going = { ...old, metadata: { ...old.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }
  assert.deepEqual(next(after, [old]), { create: 0, remove: ['a'] })
  assert.deepEqual(next(after, [going]), { create: 0, remove: [] })
  assert.deepEqual(next(after, []), { create: 1, remove: [] })
})

/** Plays a rollout to its end; each pod that waits becomes ready when the coin says so, or when nothing else moves. */
function play(
  after: Deployment,
  start: readonly Pod[],
  coin: () => boolean,
): { pods: readonly Pod[]; log: readonly Pod[][] } {
  let pods = [...start]
  const log = [pods]
  for (let steps = 0; steps < 100; steps++) {
    const { create, remove } = rolloutStep(after, pods)
    const made = Array.from({ length: create }, (_, index) => pod(`new-${steps}-${index}`, after, false))
    pods = [...pods.filter((one) => !remove.includes(one)), ...made]
    log.push(pods)
    const waiting = pods.findIndex((one) => !isReady(one))
    const resting = create + remove.length === 0
    if (resting && waiting < 0) return { pods, log }
    if (waiting >= 0 && (resting || coin())) pods = pods.with(waiting, pod(pods[waiting]?.metadata.name ?? '', after))
  }
  throw new Error('no end')
}

test('a rollout never leaves its limits, and ends', () => {
  const shape = fc.record({
    replicas: fc.integer({ min: 0, max: 6 }),
    earlier: fc.integer({ min: 0, max: 6 }),
    surge: fc.integer({ min: 0, max: 3 }),
    unavailable: fc.integer({ min: 0, max: 3 }),
    coins: fc.infiniteStream(fc.boolean()),
  })
  fc.assert(
    fc.property(shape, ({ replicas, earlier, surge, unavailable, coins }) => {
      const before = deployment({ replicas: earlier })
      const after = deployment({ replicas, image: '2', surge, unavailable })
      const old = Array.from({ length: earlier }, (_, index) => pod(`old-${index}`, before))
      const { pods, log } = play(after, old, () => coins.next().value ?? true)
      assert.deepEqual(countPods(after, pods), { replicas, updatedReplicas: replicas, readyReplicas: replicas })
      const most = Math.max(replicas + surge, earlier)
      const fewest = Math.min(earlier, replicas - (surge + unavailable === 0 ? 1 : unavailable))
      for (const moment of log) {
        assert.ok(moment.length <= most, `${moment.length} pods`)
        assert.ok(moment.filter(isReady).length >= fewest, `${moment.filter(isReady).length} ready`)
      }
    }),
  )
})

test('percentages round up for surge and down for unavailable', () => {
  assert.deepEqual(limits(deployment({ replicas: 5, surge: '25%', unavailable: '25%' })), { surge: 2, unavailable: 1 })
  assert.deepEqual(limits(deployment({ replicas: 1, surge: '0%', unavailable: '10%' })), { surge: 0, unavailable: 1 })
})

test('a rollout that stands still past its deadline is reported as failed', () => {
  const current = deployment({ replicas: 1 })
  const counts = { replicas: 1, updatedReplicas: 1, readyReplicas: 0 }
  const start = Date.UTC(2026, 0, 1)
  const status = deploymentStatus(current, counts, start)
  const progress = (at: number) =>
    deploymentStatus({ ...current, status }, counts, at).conditions?.find(({ type }) => type === 'Progressing')?.reason
  assert.equal(progress(start + 599_000), 'ReplicaSetUpdated')
  assert.equal(progress(start + 602_000), 'ProgressDeadlineExceeded')
})
