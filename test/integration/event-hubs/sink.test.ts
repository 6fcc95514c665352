import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'
import { openEventHubsSink } from '../../../bridge-runtime/connectors/event-hubs/sink.ts'
import type { Sink } from '../../../bridge-runtime/core/contracts.ts'
import { partitionOf } from '../../emulators/event-hubs/partition-key.ts'
import { type EventHubsAdmin, eventHubsConnectionString, startEventHubs } from '../../support/event-hubs.ts'
import { eventually } from '../../support/eventually.ts'
import { sharedEventHubs, uniqueName } from '../../support/shared-servers.ts'
import { assertWhole } from '../../support/tally.ts'
import { type TestRecord, type TestRun, testRun } from '../../support/verifier.ts'
import { batchOf, context, never, sinkConfig } from './harness.ts'
import { readFirst } from '../../support/event-hubs-sdk.ts'

interface Stage {
  readonly endpoint: string
  readonly admin: EventHubsAdmin
  readonly hub: string
  readonly sink: Sink
}

async function stage(t: TestContext, partitions = 2, limits: object = {}): Promise<Stage> {
  const { endpoint, admin } = await sharedEventHubs()
  const hub = uniqueName(t)
  await admin.createHub(hub, partitions)
  const sink = await openEventHubsSink(sinkConfig(endpoint, hub, { limits }), context(endpoint))
  t.after(() => sink[Symbol.asyncDispose]())
  await sink.open(never)
  return { endpoint, admin, hub, sink }
}

interface Delivered {
  /** Records that were sent again. */
  readonly repeated: number
  readonly reasons: ReadonlySet<string>
}

/** Sends what failed again, in its order, as the engine does. */
async function deliver(sink: Sink, records: readonly TestRecord[]): Promise<Delivered> {
  const reasons = new Set<string>()
  let repeated = 0
  for (let rest = records; rest.length > 0; ) {
    const result = await sink.write(batchOf(rest), never)
    for (const { reason } of result.values()) reasons.add(reason)
    rest = rest.filter((_, index) => result.has(index))
    repeated += rest.length
    if (rest.length > 0) await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return { repeated, reasons }
}

async function assertStored(run: TestRun, { endpoint, admin, hub }: Stage, duplicates: number): Promise<void> {
  const { partitions } = await admin.hub(hub)
  for (const [index, { events }] of partitions.entries()) {
    if (events === 0) continue
    const stored = await readFirst(eventHubsConnectionString(endpoint, hub), events, { partition: String(index) })
    for (const { partitionKey, body } of stored) run.arrived(partitionKey ?? null, body as Buffer)
  }
  assertWhole(run.tally(), duplicates)
}

suite('the sink of event hubs', { concurrency: 4 }, () => {
  test('a key goes to the partition the service would choose, and every reader sees it', async (t) => {
    const { endpoint, hub, sink } = await stage(t, 4)
    const keys = ['a', 'order-42', 'été', '日本語のキー', 'x'.repeat(128)]
    assert.equal((await sink.write(batchOf(keys.map((key) => ({ key, value: Buffer.from(key) }))), never)).size, 0)
    for (const [partition, own] of Map.groupBy(keys, (key) => partitionOf(key, 4))) {
      const connectionString = eventHubsConnectionString(endpoint, hub)
      const events = await readFirst(connectionString, own.length, { partition: String(partition) })
      assert.deepEqual(
        events.map(({ partitionKey }) => partitionKey),
        own,
      )
    }
  })

  test('events of many keys share one batch of their partition', async (t) => {
    const { admin, hub, sink } = await stage(t, 2)
    const run = testRun({ run: hub, keys: 400 })
    await deliver(sink, run.take(500))
    const links = (await admin.connections()).flatMap((connection) => connection.links)
    const transfers = links.filter((link) => link.hub === hub && link.kind === 'writer').map((link) => link.transfers)
    assert.deepEqual(transfers, [1, 1])
  })

  test('writes that overlap share batches, with one on its way per partition', async (t) => {
    const whole = await stage(t, 1)
    const { admin, hub, sink } = whole
    const run = testRun({ run: hub, keys: 1 })
    await admin.addFault({ on: 'send', do: 'delay', hub, milliseconds: 300 })
    const writes = Array.from({ length: 20 }, (_, lane) =>
      sink.write(batchOf([{ key: `lane-${lane}`, value: Buffer.from('x') }]), never),
    )
    // They all began in one turn: the first batch has all of them, or all that follow wait for it and share the next.
    assert.ok((await Promise.all(writes)).every((result) => result.size === 0))
    const links = (await admin.connections()).flatMap((connection) => connection.links)
    const [writer] = links.filter((link) => link.hub === hub && link.kind === 'writer')
    assert.ok((writer?.transfers ?? 0) <= 2, `${writer?.transfers}`)
    await deliver(sink, run.take(10))
  })

  for (const [what, fault] of [
    ['the connection is lost after the batch was stored', { on: 'send', do: 'appendThenClose' }],
    [
      'the link is lost before the batch was stored',
      { on: 'send', do: 'detach', condition: 'amqp:link:detach-forced' },
    ],
    ['the service has an internal error', { on: 'send', do: 'reject', condition: 'amqp:internal-error' }],
  ] as const)
    test(`when ${what}, nothing is lost or reordered, and no more is repeated than was sent again`, async (t) => {
      const whole = await stage(t)
      const { admin, hub, sink } = whole
      const run = testRun({ run: hub, keys: 20 })
      await deliver(sink, run.take(100))
      await admin.addFault({ ...fault, hub, nth: 2, count: 3 })
      let repeated = 0
      for (let round = 0; round < 10; round += 1) repeated += (await deliver(sink, run.take(100))).repeated
      assert.ok(repeated > 0)
      await assertStored(run, whole, repeated)
    })

  test('a batch whose answer never comes is a failure within the deadline, and sent again', async (t) => {
    const whole = await stage(t, 1)
    const { admin, hub, sink } = whole
    const run = testRun({ run: hub, keys: 5 })
    await admin.addFault({ on: 'send', do: 'appendThenNoDisposition', hub })
    const { repeated, reasons } = await deliver(sink, run.take(20))
    assert.equal(repeated, 20)
    assert.deepEqual([...reasons], ['EndpointUnreachable'])
    await assertStored(run, whole, 20)
  })

  test('a service that is busy is told as throttling, and keeps its order', async (t) => {
    const whole = await stage(t)
    const { admin, hub, sink } = whole
    const run = testRun({ run: hub, keys: 20 })
    await admin.addFault({ on: 'send', do: 'reject', condition: 'com.microsoft:server-busy', hub, count: 4 })
    const { reasons } = await deliver(sink, run.take(200))
    assert.ok(reasons.has('Throttled'))
    assert.ok([...reasons].every((reason) => reason === 'Throttled' || reason === 'HeldBack'))
    await assertStored(run, whole, 0)
  })

  test('what waits behind a failed batch of its key is not stored before it', async (t) => {
    const whole = await stage(t, 1, { maxRecords: 10 })
    const { admin, hub, sink } = whole
    await admin.addFault({ on: 'send', do: 'reject', condition: 'amqp:internal-error', hub })
    const run = testRun({ run: hub, keys: 1 })
    const records = run.take(30)
    // Three batches: the first fails, and the others must not go before it.
    const result = await sink.write(batchOf(records), never)
    const reasons = records.map((_, index) => result.get(index)?.reason)
    assert.deepEqual(reasons, [...Array(10).fill('ServiceUnavailable'), ...Array(20).fill('HeldBack')])
    assert.deepEqual(await admin.dump(hub, '0'), [])
    await deliver(sink, records)
    await assertStored(run, whole, 0)
  })

  test('each batch is reported as soon as it is stored, though the next is still on its way', async (t) => {
    const { admin, hub, sink } = await stage(t, 1, { maxRecords: 10 })
    await admin.addFault({ on: 'send', do: 'appendThenNoDisposition', hub, nth: 3 })
    const run = testRun({ run: hub, keys: 3 })
    const reported: (readonly number[])[] = []
    const result = await sink.write(batchOf(run.take(30)), never, (indexes) => reported.push(indexes))
    const upTo = (from: number): number[] => Array.from({ length: 10 }, (_, index) => from + index)
    assert.deepEqual(reported, [upTo(0), upTo(10)])
    assert.deepEqual([...result.keys()], upTo(20))
  })

  test('a batch is no larger than the service allows, however large records are', async (t) => {
    const whole = await stage(t, 1)
    const run = testRun({ run: whole.hub, keys: 3, bytes: 300_000 })
    const { repeated } = await deliver(whole.sink, run.take(20))
    assert.equal(repeated, 0)
    await assertStored(run, whole, 0)
  })

  test('a limit of the service that is smaller than one MiB is found out', async (t) => {
    await using server = await startEventHubs({
      hubs: { basic: 1 },
      durable: false,
      args: ['--max-message-size', '262144'],
    })
    const sink = await openEventHubsSink(sinkConfig(server.endpoint, 'basic'), context(server.endpoint))
    t.after(() => sink[Symbol.asyncDispose]())
    await sink.open(never)
    const result = await sink.write(batchOf([{ key: 'large', value: Buffer.alloc(300_000) }]), never)
    assert.deepEqual([result.get(0)?.kind, result.get(0)?.reason], ['poison', 'RecordTooLarge'])
    assert.match(result.get(0)?.message ?? '', /262144/)
    const run = testRun({ run: 'basic', keys: 3, bytes: 100_000 })
    assert.equal((await deliver(sink, run.take(10))).repeated, 0)
  })

  test('a sink that is not given credit says so, and writes once it is', async (t) => {
    const { endpoint, admin } = await sharedEventHubs()
    const hub = uniqueName(t)
    await admin.createHub(hub, 1)
    await admin.addFault({ on: 'attach', do: 'withholdCredit', hub })
    const sink = await openEventHubsSink(sinkConfig(endpoint, hub), context(endpoint))
    t.after(() => sink[Symbol.asyncDispose]())
    await assert.rejects(sink.open(never), { reason: 'EndpointUnreachable', kind: 'retryable' })
    await eventually('it opens', () => sink.open(never).then(() => true))
  })

  test('a new key in the Secret is used without a restart', async (t) => {
    await using server = await startEventHubs({ hubs: { orders: 1 }, durable: false, args: ['--key', 'test=first'] })
    let key = 'first'
    const sink = await openEventHubsSink(sinkConfig(server.endpoint, 'orders'), {
      ...context(server.endpoint),
      secret: async () => Buffer.from(eventHubsConnectionString(server.endpoint, 'orders', key)),
    })
    t.after(() => sink[Symbol.asyncDispose]())
    await sink.open(never)
    await server.admin.setKeys({ test: 'second' })
    await server.admin.disturb({ do: 'closeSocket' })
    const run = testRun({ run: 'orders', keys: 2 })
    const refused = await eventually('it is refused', async () =>
      [...(await sink.write(batchOf(run.take(1)), never)).values()].find(
        ({ reason }) => reason === 'AuthenticationFailed',
      ),
    )
    assert.equal(refused.kind, 'fatal')
    key = 'second'
    await eventually('it is stored', async () => (await sink.write(batchOf(run.take(1)), never)).size === 0)
  })
})
