import assert from 'node:assert/strict'
import test from 'node:test'
import { pods } from '../../kube/resources.ts'
import { aRunningBridge, aSpec, edit, namespace, type World } from '../../../test/support/operator-world.ts'

const totals = (deadLettered: number) => ({ in: 10, out: 10, filtered: 0, deadLettered, retries: 0 })
const lastDeadLetter = { reason: 'RecordTooLarge', at: 1 }

const told = async (world: World) => (await world.get('orders'))?.status?.deadLetter

async function lettered(replicas: readonly number[]): Promise<World> {
  const world = await aRunningBridge('orders', aSpec({ replicas: replicas.length }))
  world.report = { lastDeadLetter }
  world.reportOf = (index) => ({ totals: totals(replicas[index] ?? 0) })
  await world.run('orders', 30_000)
  return world
}

test('dead letters of all replicas add up', async () => {
  assert.equal((await told(await lettered([3, 4])))?.total, 7)
})

test('the total of dead letters does not fall when pods are replaced, and goes on from there', async () => {
  const world = await lettered([3, 4])
  world.reportOf = (index) => ({ totals: totals(index === 0 ? 2 : 0) })
  world.report = {}
  for (const { metadata } of (await world.people.list(pods, { namespace })).items)
    await world.people.remove(pods, { namespace, name: metadata.name }, { uid: metadata.uid ?? '' })
  await world.reconcile('orders')
  assert.equal((await told(world))?.total, 7)
  await world.roll('orders')
  await world.run('orders', 30_000)
  // The pods of this world have the names of those before: to the operator their counters restarted.
  assert.deepEqual(await told(world), {
    total: 9,
    lastReason: 'RecordTooLarge',
    counted: [{ replica: 'orders-bridge-0', total: 2 }],
  })
})

test('a replica whose process restarts is counted on', async () => {
  const world = await lettered([5])
  world.reportOf = () => ({ totals: totals(1) })
  await world.run('orders', 30_000)
  assert.equal((await told(world))?.total, 6)
})

test('an operator that restarts counts nothing twice', async () => {
  const world = await lettered([3, 4])
  world.restart()
  await world.run('orders', 60_000)
  assert.equal((await told(world))?.total, 7)
})

test('a replica that does not report for a while is counted once', async () => {
  const world = await lettered([3, 4])
  world.report = undefined
  await world.run('orders', 60_000)
  assert.equal((await told(world))?.total, 7)
  world.report = {}
  await world.run('orders', 60_000)
  assert.equal((await told(world))?.total, 7)
})

test('a pause keeps the total', async () => {
  const world = await lettered([3])
  await edit(world, 'orders', (spec) => ({ ...spec, lifecycle: { desiredState: 'Paused' } }))
  await world.roll('orders')
  await world.run('orders', 60_000)
  assert.equal((await told(world))?.total, 3)
})
