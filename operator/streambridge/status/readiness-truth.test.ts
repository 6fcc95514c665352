/** Ready is not True while nothing moves, and the message says why. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { RuntimeReport } from '../../../crds/schema/report.ts'
import {
  aPartition,
  aRunningBridge,
  aSpec,
  phaseIn,
  podStatus,
  said,
  type World,
} from '../../../test/support/operator-world.ts'

const still = {
  seconds: 75,
  message: 'records wait and none has moved for more than 60 s: the sink has not answered yet',
}

async function reporting(report: Partial<RuntimeReport>, milliseconds = 20_000): Promise<World> {
  const world = await aRunningBridge('orders')
  world.report = report
  await world.run('orders', milliseconds)
  return world
}

const oomKilled = { terminated: { exitCode: 137, reason: 'OOMKilled' } }
const crashLoop = { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s restarting failed container' } }

test('one partition that stands still makes the bridge not Ready, however fast the others move', async () => {
  const moving = aPartition({ partition: 'orders-1', epoch: 1 })
  const world = await reporting({
    partitions: [aPartition({ still }), moving],
    source: { connected: true, partitions: 2 },
    rates: { in: 900, out: 900 },
  })
  assert.equal(await said(world, 'orders', 'Ready'), `False/NoProgress: partition orders-0: ${still.message}`)
  assert.equal(await phaseIn(world, 'orders'), 'Degraded')
})

test('a partition that another replica moves does not stand still', async () => {
  const world = await aRunningBridge('orders', aSpec({ replicas: 2 }))
  world.reportOf = (index) => ({ partitions: [aPartition({ epoch: index, ...(index === 0 && { still }) })] })
  await world.run('orders', 20_000)
  assert.match(await said(world, 'orders', 'Ready'), /^True\/Flowing/)
})

test('a source without any partition is not Ready: a stream has at least one', async () => {
  const world = await reporting({ partitions: [], source: { connected: true, partitions: 0 } })
  assert.match(
    await said(world, 'orders', 'Ready'),
    /^False\/NoPartitions: the source has no partition to read.*orders/,
  )
})

test('partitions that no replica reads for a minute make the bridge not Ready', async () => {
  const world = await reporting({ source: { connected: true, partitions: 3 } }, 50_000)
  assert.match(await said(world, 'orders', 'Ready'), /^True/)
  await world.run('orders', 40_000)
  assert.match(
    await said(world, 'orders', 'Ready'),
    /^False\/PartitionsUnread: 2 of 3 partitions are read by no replica for more than 60 s: .*consumer group/,
  )
})

test('a source whose partitions are not known to anyone after a minute is not Ready', async () => {
  const world = await reporting({ partitions: [], source: { connected: true } }, 90_000)
  assert.match(await said(world, 'orders', 'Ready'), /^False\/PartitionsUnread: no replica reads a partition/)
})

test('partitions that change hands for a while change nothing', async () => {
  const world = await reporting({ source: { connected: true, partitions: 3 } }, 40_000)
  world.report = { source: { connected: true, partitions: 1 } }
  await world.run('orders', 20_000)
  world.report = { source: { connected: true, partitions: 3 } }
  await world.run('orders', 40_000)
  assert.match(await said(world, 'orders', 'Ready'), /^True/)
})

test('the only replica in a crash loop: Ready says so, with the last exit and what to do', async () => {
  const world = await reporting({})
  await podStatus(world, 'orders', 0, { restartCount: 4, state: crashLoop, lastState: oomKilled })
  assert.equal(
    await said(world, 'orders', 'Ready'),
    'False/CrashLoopBackOff: pod orders-bridge-0: CrashLoopBackOff (last exit code 137, OOMKilled): raise spec.template.resources.limits.memory, or lower delivery.maxInFlightBytes',
  )
  assert.equal(await phaseIn(world, 'orders'), 'Degraded')
})

test('a replica that crashes again and again is not Ready in the seconds in between', async () => {
  const world = await reporting({ uptime: 12 })
  const running = { running: { startedAt: '2026-01-01T00:00:00Z' } }
  const ended = { terminated: { exitCode: 1, reason: 'Error' } }
  await podStatus(world, 'orders', 0, { restartCount: 4, state: running, lastState: ended })
  await world.run('orders', 20_000)
  assert.equal(
    await said(world, 'orders', 'Ready'),
    'False/CrashLoopBackOff: pod orders-bridge-0: has restarted 4 times (last exit code 1, Error) and runs for less than 60 s: `kubectl logs orders-bridge-0 --previous` says why',
  )
  world.report = { uptime: 75 }
  await world.run('orders', 20_000)
  assert.match(await said(world, 'orders', 'Ready'), /^True\/Flowing/)
})

test('the report of a crashed replica is ignored, and Ready names the replica', async () => {
  const world = await aRunningBridge('orders', aSpec({ replicas: 2 }))
  world.reportOf = (index) => ({
    partitions: [aPartition({ partition: `orders-${index}` })],
    source: { connected: true, partitions: 2 },
  })
  await world.run('orders', 20_000)
  await podStatus(world, 'orders', 1, { restartCount: 4, state: crashLoop, lastState: oomKilled })
  assert.match(await said(world, 'orders', 'Ready'), /^True\/Flowing: .*; pod orders-bridge-1: CrashLoopBackOff/)
  assert.equal((await world.get('orders'))?.status?.source?.assignedPartitions, 1)
  assert.equal(await phaseIn(world, 'orders'), 'Degraded')
  await world.run('orders', 90_000)
  assert.match(
    await said(world, 'orders', 'Ready'),
    /^False\/PartitionsUnread: 1 of 2 partitions .*: pod orders-bridge-1: CrashLoopBackOff/,
  )
})
