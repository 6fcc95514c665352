import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { status } from '@grpc/grpc-js'
import { eventually } from '../../support/eventually.ts'
import { ackFailures } from '../../support/pubsub-fake/status-details.ts'
import { type FakePubsub, startFakePubsub } from '../../support/pubsub-fake/fake-pubsub.ts'
import { assertWhole } from '../../support/tally.ts'
import { type TestRun, testRun } from '../../support/verifier.ts'
import { checking } from '../../support/checking-sink.ts'
import { running, source } from './engines.ts'

async function serviceWith(t: TestContext, settings: object = {}): Promise<FakePubsub> {
  const service = await startFakePubsub()
  t.after(() => service.stop())
  service.createTopic('orders', ['orders'], settings)
  return service
}

const send = (service: FakePubsub, run: TestRun, count: number): void =>
  service.publish(
    'orders',
    run.take(count).map(({ key, value }) => ({ key, data: value })),
  )

const settled = (service: FakePubsub) =>
  eventually('all are acknowledged', () => service.subscription('orders').backlog === 0)

test('a redelivery of a message and all later ones of its key, acknowledged or not, repeats and reorders nothing', async (t) => {
  const service = await serviceWith(t)
  const run = testRun({ run: 'again', keys: 20 })
  let writes = 0
  const bridge = running(
    t,
    () => source(service.address, 'orders'),
    // Leases run out in the middle of writes.
    async () =>
      checking(run, async () => {
        writes += 1
        if (writes % 7 === 0) service.subscription('orders').expireAll()
        await new Promise((resolve) => setTimeout(resolve, 2))
      }),
  )
  send(service, run, 3_000)
  await settled(service)
  await bridge.stop()
  assert.ok(service.subscription('orders').delivered > 3_000, 'something came again')
  assertWhole(run.tally(), 0)
})

test('streams that the service ends are opened again; nothing is lost, repeated or reordered', async (t) => {
  const service = await serviceWith(t)
  const run = testRun({ run: 'streams', keys: 20 })
  const streams = 3
  const bridge = running(
    t,
    () => source(service.address, 'orders', { streams }),
    async () => checking(run, () => new Promise((resolve) => setTimeout(resolve, 3))),
  )
  for (let round = 0; round < 4; round += 1) {
    send(service, run, 500)
    await eventually('some arrive', () => run.received > round * 400)
    service.endStreams(round % 2 === 0 ? status.OK : status.UNAVAILABLE, 'unable to fulfill your request')
    await eventually(
      'other streams',
      () => service.calls.filter(({ method }) => method === 'streamingPull').length >= streams * (round + 2),
    )
    // What was on its way in a broken stream comes again when its lease is over.
    service.subscription('orders').expireAll()
  }
  await settled(service)
  await bridge.stop()
  const clients = service.calls.flatMap(({ method, request }) =>
    method === 'streamingPull' ? [request['clientId']] : [],
  )
  assert.equal(new Set(clients).size, streams, 'a reopened stream is known again, and never taken for another one')
  assertWhole(run.tally(), 0)
})

test('the limits of flow control hold for all streams of a replica together, and each of them carries messages', async (t) => {
  const service = await serviceWith(t)
  const run = testRun({ run: 'limits', keys: 50 })
  let open = (): void => undefined
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const bridge = running(
    t,
    () => source(service.address, 'orders', { streams: 4, flowControl: { maxOutstandingMessages: 40 } }),
    async () => checking(run, () => gate),
  )
  const pulls = () => service.calls.filter(({ method }) => method === 'streamingPull')
  await eventually('four streams', () => pulls().length === 4)
  assert.deepEqual(
    pulls().map(({ request }) => Number(request['maxOutstandingMessages'])),
    [10, 10, 10, 10],
  )
  send(service, run, 500)
  const queue = service.subscription('orders')
  await eventually('each has its part', () => queue.delivered === 40)
  open()
  await settled(service)
  await bridge.stop()
  assert.equal(queue.delivered, 500)
  assertWhole(run.tally(), 0)
})

test('two replicas share a subscription and hand over; nothing is lost, repeated or reordered', async (t) => {
  const service = await serviceWith(t)
  const run = testRun({ run: 'replicas', keys: 30 })
  const replica = () =>
    running(
      t,
      () => source(service.address, 'orders', { flowControl: { maxOutstandingMessages: 100 } }),
      async () => checking(run, () => new Promise((resolve) => setTimeout(resolve, 1))),
    )
  const [one, two] = [replica(), replica()]
  for (let round = 0; round < 10; round += 1) {
    send(service, run, 200)
    await eventually('some arrive', () => run.received > round * 150)
  }
  await eventually('both work', () => one.engine.statistics.totals.out > 0 && two.engine.statistics.totals.out > 0)
  send(service, run, 1_000)
  await one.stop()
  await settled(service)
  await two.stop()
  assertWhole(run.tally(), 0)
})

test('with exactly-once delivery an acknowledgement that fails for a while is repeated, and the message not', async (t) => {
  const service = await serviceWith(t, { enableExactlyOnceDelivery: true })
  const run = testRun({ run: 'transient', keys: 10 })
  let refused = 0
  service.refuse = ({ method, request }) => {
    if (method !== 'acknowledge' || refused >= 5) return undefined
    refused += 1
    const ids = request['ackIds'] as string[]
    return ackFailures(new Map(ids.map((id) => [id, 'TRANSIENT_FAILURE_INVALID_ACK_ID'])))
  }
  const bridge = running(
    t,
    () => source(service.address, 'orders'),
    async () => checking(run),
  )
  send(service, run, 1_000)
  await settled(service)
  await bridge.stop()
  assert.equal(refused, 5)
  assert.equal(service.subscription('orders').delivered, 1_000)
  assertWhole(run.tally(), 0)
})

test('with exactly-once delivery an acknowledgement that comes too late is not taken for done, and the message is not stored twice', async (t) => {
  const service = await serviceWith(t, { enableExactlyOnceDelivery: true })
  const run = testRun({ run: 'late', keys: 10 })
  let late = 0
  service.refuse = ({ method }) => {
    if (method === 'acknowledge' && late < 3) {
      late += 1
      // The leases run out while the acknowledgement is on its way.
      service.subscription('orders').expireAll()
    }
    return undefined
  }
  const bridge = running(
    t,
    () => source(service.address, 'orders'),
    async () => checking(run),
  )
  send(service, run, 1_000)
  await settled(service)
  await bridge.stop()
  assert.equal(late, 3)
  assert.ok(service.subscription('orders').delivered > 1_000, 'something came again')
  assertWhole(run.tally(), 0)
})

test('with exactly-once delivery a message whose lease is not confirmed is not handed on', async (t) => {
  const service = await serviceWith(t, { enableExactlyOnceDelivery: true })
  const run = testRun({ run: 'unconfirmed', keys: 5 })
  let refused: string[] = []
  service.refuse = ({ method, request }) => {
    if (method !== 'modifyAckDeadline' || refused.length > 0) return undefined
    refused = [...(request['ackIds'] as string[])]
    return ackFailures(new Map(refused.map((id) => [id, 'PERMANENT_FAILURE_INVALID_ACK_ID'])))
  }
  const bridge = running(
    t,
    () => source(service.address, 'orders'),
    async () => checking(run),
  )
  send(service, run, 100)
  await eventually('the rest is settled', () => service.subscription('orders').backlog <= refused.length)
  assert.equal(run.received, 100 - refused.length)
  service.subscription('orders').expireAll()
  await settled(service)
  await bridge.stop()
  assertWhole(run.tally(), 0)
})
