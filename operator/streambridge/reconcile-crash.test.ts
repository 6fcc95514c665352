import assert from 'node:assert/strict'
import test from 'node:test'
import {
  type Call,
  conflictOnWrite,
  crashAfterWrite,
  errorAfterWrite,
  recording,
  writesIn,
} from '../../test/support/kube-faults.ts'
import { secrets, streamBridges } from '../kube/resources.ts'
import {
  aBridge,
  aRunningBridge,
  aSpec,
  aWorld,
  credentials,
  inventory,
  phaseIn,
  type World,
} from '../../test/support/operator-world.ts'

test('a no-op reconcile writes nothing', async () => {
  const world = await aRunningBridge('orders')
  const calls: Call[] = []
  world.restart(recording(world.cluster, calls))
  for (let look = 0; look < 20; look += 1) await world.reconcile('orders')
  await world.run('orders', 120_000)
  assert.deepEqual(writesIn(calls), [])
})

test('a reconcile without a change reads the Secrets alone, every 30 s', async () => {
  const world = await aRunningBridge('orders')
  await world.run('orders', 10_000)
  const calls: Call[] = []
  world.restart(recording(world.cluster, calls))
  await world.run('orders', 10_000)
  calls.length = 0
  await world.run('orders', 120_000)
  assert.deepEqual([...new Set(calls.map(({ resource }) => resource.kind))], ['Secret'])
  assert.ok(calls.length <= 5, `${calls.length} requests in two minutes`)
})

test('after a crash at any write the next operator brings about the same', async () => {
  const shape = async (world: World): Promise<unknown> => {
    const deployment = await world.deployment('clicks')
    return [await inventory(world.cluster), deployment?.spec.replicas, await phaseIn(world, 'clicks')]
  }
  const start = async (): Promise<World> => {
    const world = aWorld()
    await world.people.create(secrets, credentials)
    await world.people.create(streamBridges, aBridge('clicks', aSpec({ source: { generator: {} } })))
    return world
  }
  const plain = await start()
  const calls: Call[] = []
  plain.restart(recording(plain.cluster, calls))
  await plain.reconcile('clicks')
  const writes = writesIn(calls).length
  await plain.roll('clicks')
  assert.ok(writes >= 7, `${writes} writes`)
  const names = (value: unknown): string => JSON.stringify(value).replaceAll(/-[0-9a-f]{10}/g, '')

  for (let k = 1; k <= writes; k += 1) {
    for (const fault of [crashAfterWrite, conflictOnWrite, errorAfterWrite]) {
      const world = await start()
      world.restart(fault(world.cluster, k))
      await world.reconcile('clicks').catch(() => undefined)
      world.restart()
      await world.reconcile('clicks')
      await world.roll('clicks')
      assert.equal(names(await shape(world)), names(await shape(plain)), `${fault.name} ${k}`)
      const after: Call[] = []
      world.restart(recording(world.cluster, after))
      await world.reconcile('clicks')
      assert.deepEqual(writesIn(after), [], `${fault.name} ${k}: at rest`)
    }
  }
})

test('one broken bridge does not hold up the forty-nine others', async () => {
  const world = aWorld()
  await world.people.create(secrets, credentials)
  const bad = aSpec({ delivery: { retry: { initialBackoff: '60s', maxBackoff: '1s' } } })
  for (let index = 0; index < 50; index += 1)
    await world.people.create(streamBridges, aBridge(`b${index}`, index === 7 ? bad : aSpec()))
  for (let index = 0; index < 50; index += 1) await world.reconcile(`b${index}`)
  for (let index = 0; index < 50; index += 1)
    assert.equal((await world.deployment(`b${index}`)) === undefined, index === 7, `b${index}`)
})
