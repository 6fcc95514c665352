import assert from 'node:assert/strict'
import test from 'node:test'
import { type Call, recording, writesIn } from '../../test/support/kube-faults.ts'
import { secrets, streamBridges } from '../kube/resources.ts'
import {
  aBridge,
  aRunningBridge,
  aSpec,
  aWorld,
  credentials,
  namespace,
  phaseIn,
  said,
} from '../../test/support/operator-world.ts'

test('Ready is Unknown until a replica has reported', async () => {
  const world = aWorld()
  world.report = undefined
  await world.people.create(secrets, credentials)
  await world.people.create(streamBridges, aBridge('orders'))
  await world.reconcile('orders')
  assert.match(await said(world, 'orders', 'Ready'), /^Unknown\/NotReported/)
  await world.roll('orders')
  assert.match(await said(world, 'orders', 'Ready'), /^Unknown\/NotReported: pod orders-bridge-0: it does not answer/)
})

test('a report that is older than three intervals makes Ready Unknown again', async () => {
  const world = await aRunningBridge('orders')
  world.report = undefined
  await world.run('orders', 20_000)
  assert.match(await said(world, 'orders', 'Ready'), /^True/)
  await world.run('orders', 30_000)
  assert.match(await said(world, 'orders', 'Ready'), /^Unknown\/NotReported/)
  assert.equal((await world.get('orders'))?.status?.source?.lagRecords, undefined)
})

test('the status follows figures at most every 10 s and conditions at once', async () => {
  const world = await aRunningBridge('orders')
  await world.run('orders', 20_000)
  const calls: Call[] = []
  const before = world.clock.monotonic()
  world.restart(recording(world.cluster, calls))
  let out = 0
  for (let look = 0; look < 30; look += 1) {
    out += 1_000
    world.report = { rates: { in: out, out } }
    await world.clock.advance(6_000)
    await world.reconciler.reconcile(`${namespace}/orders`)
  }
  const allowed = (world.clock.monotonic() - before) / 10_000 + 1
  assert.ok(writesIn(calls).length <= allowed, `${writesIn(calls).length} writes, ${allowed} allowed`)
  assert.ok(writesIn(calls).length >= 10)
  await world.clock.advance(5_000)
  world.report = { source: { connected: false } }
  await world.reconciler.reconcile(`${namespace}/orders`)
  assert.match(await said(world, 'orders', 'SourceConnected'), /^False\/NotConnected/)
})

test('a lasting error is named in the condition, in lastError and in an Event, and goes when it is over', async () => {
  const world = await aRunningBridge('orders')
  const at = Date.UTC(2026, 0, 1)
  const message = 'the broker refused the password of user "shop": check Secret "orders-kafka"'
  const error = {
    component: 'source',
    reason: 'AuthenticationFailed',
    message,
    count: 3,
    firstAt: at,
    lastAt: at,
  } as const
  world.report = { source: { connected: false }, errors: [error] }
  await world.run('orders', 20_000)
  assert.equal(await said(world, 'orders', 'Ready'), `False/AuthenticationFailed: ${message}`)
  assert.equal((await world.get('orders'))?.status?.lastError?.reason, 'AuthenticationFailed')
  assert.equal(world.events.filter(({ reason }) => reason === 'AuthenticationFailed').length, 1)
  assert.equal(await phaseIn(world, 'orders'), 'Degraded')
  world.report = {}
  await world.run('orders', 20_000)
  assert.match(await said(world, 'orders', 'Ready'), /^True/)
  assert.equal((await world.get('orders'))?.status?.lastError, undefined)
})

test('lag adds replicas, and an idle bridge goes to zero and says so', async () => {
  const scaling = { mode: 'Lag', minReplicas: 0, maxReplicas: 4, scaleToZero: { idle: '60s', probe: '60s' } } as const
  const world = await aRunningBridge('orders', aSpec({ scaling }))
  const partitions = Array.from({ length: 4 }, (_, index) => ({
    partition: `orders-${index}`,
    epoch: 1,
    lag: { kind: 'known', records: 100_000 } as const,
    inFlightRecords: 10,
  }))
  world.report = { busy: 1, rates: { in: 100, out: 100 }, partitions, source: { connected: true, partitions: 4 } }
  await world.run('orders', 90_000)
  assert.equal((await world.deployment('orders'))?.spec.replicas, 4)
  await world.roll('orders')
  world.report = { busy: 0, rates: { in: 0, out: 0 } }
  await world.run('orders', 90_000)
  await world.roll('orders')
  assert.equal((await world.deployment('orders'))?.spec.replicas, 0)
  assert.match(await said(world, 'orders', 'Ready'), /^True\/Idle/)
  assert.equal(await phaseIn(world, 'orders'), 'Idle')
  await world.run('orders', 70_000)
  assert.equal((await world.deployment('orders'))?.spec.replicas, 1)
})
