/** Replicas as processes: hub → bridge → hub. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import rhea from 'rhea'
import { fileLeases } from '../../../bridge-runtime/lease-stores/file/file.ts'
import { readManifests } from '../../../cli/manifests.ts'
import { eventHubsConnectionString, type EventHubsServer, startEventHubs } from '../../support/event-hubs.ts'
import { eventually } from '../../support/eventually.ts'
import { type RuntimeProcess, startRuntime } from '../../support/runtime-process.ts'
import { temporaryDirectory } from '../../support/server-process.ts'
import { tallyLine } from '../../support/tally.ts'
import { type TestRun, testRun } from '../../support/verifier.ts'
import { connectionOf, produce } from './harness.ts'

const patience = { within: 90_000 }
const example = join(import.meta.dirname, '../../../examples/event-hubs-to-event-hubs.yaml')

const guide = join(import.meta.dirname, '../../../docs/guides/connectors/event-hubs.md')

interface Stage {
  readonly server: EventHubsServer
  readonly run: TestRun
  readonly leases: string
  readonly send: (count: number) => Promise<void>
  readonly start: (replica: string) => Promise<RuntimeProcess>
  /** Different records in the sink's hub. */
  readonly arrived: () => Promise<number>
  readonly allArrived: () => Promise<void>
}

async function stage(t: TestContext): Promise<Stage> {
  const server = await startEventHubs({ hubs: { in: 4, out: 3 } })
  t.after(() => server.stop())
  const directory = temporaryDirectory('event-hubs-replicas')
  const leases = join(directory, 'leases')
  const run = testRun({ run: `run-${server.port}`, keys: 60 })
  const seen = [0, 0, 0]
  const collect = async (): Promise<number> => {
    const { partitions } = await server.admin.hub('out')
    for (const [index, { events }] of partitions.entries()) {
      const from = seen[index] ?? 0
      for (const { partitionKey, message } of await server.admin.dump('out', String(index), {
        from,
        count: events - from,
      }))
        run.arrived(partitionKey ?? null, bodyOf(message))
      seen[index] = events
    }
    return run.received
  }
  return {
    server,
    run,
    leases,
    send: (count) => produce(server.endpoint, 'in', run.take(count)),
    start: async (replica) => {
      const runtime = await startRuntime({
        bridge: {
          name: 'copy',
          source: { eventHubs: { ...connectionOf(server.endpoint, 'in'), leaseDuration: '2s' } as never },
          sink: { eventHubs: connectionOf(server.endpoint, 'out') as never },
          delivery: { commitInterval: '200ms' },
        },
        secrets: { azure: { 'connection-string': eventHubsConnectionString(server.endpoint) } },
        leases,
        replica,
      })
      t.after(() => runtime.kill())
      return runtime
    },
    arrived: collect,
    allArrived: async () =>
      void (await eventually('all records', collect, (received) => received >= run.sent, patience)),
  }
}

/** Of a stored message, in Base64. */
function bodyOf(message: string): Buffer {
  const { body } = rhea.message.decode(Buffer.from(message, 'base64'))
  return (body as { readonly content: Buffer }).content
}

/** Nothing lost, corrupt or out of order; @returns how many came twice */
function assertWhole(t: TestContext, run: TestRun): number {
  const tally = run.tally()
  t.diagnostic(tallyLine(tally))
  assert.deepEqual([tally.lost, tally.reordered, tally.corrupt], [0, 0, 0])
  return tally.duplicated
}

const owners = async (leases: string): Promise<Map<string, { owner: string | undefined; epoch: number }>> =>
  new Map(
    (await fileLeases(leases).list())
      .filter(({ partition }) => /^[0-9]+$/.test(partition))
      .map(({ partition, owner, epoch }) => [partition, { owner, epoch }]),
  )

const checkpoints = async (leases: string): Promise<Map<string, number>> =>
  new Map(
    (await fileLeases(leases).list())
      .filter(({ partition, checkpoint }) => /^[0-9]+$/.test(partition) && checkpoint.position !== undefined)
      .map(({ partition, checkpoint }) => [partition, Number(checkpoint.position)]),
  )

/** Waits until the checkpoints are at the ends. */
const allCommitted = (server: EventHubsServer, leases: string): Promise<Map<string, number>> =>
  eventually('all is committed', async () => {
    const found = await checkpoints(leases)
    const { partitions } = await server.admin.hub('in')
    return partitions.every(({ nextSequenceNumber: next }, index) => found.get(String(index)) === next - 1) && found
  })

suite('replicas of event hubs', { concurrency: 2 }, () => {
  test('a replica that is asked to stop hands over without a repetition, and ends at once', async (t) => {
    const { run, send, start, allArrived } = await stage(t)
    const first = await start('replica-0')
    await send(600)
    const second = await start('replica-1')
    const load = send(600)
    await sleep(500)
    assert.equal(await first.stop(), 0)
    await load
    const third = await start('replica-2')
    await send(600)
    await allArrived()
    assert.equal(await third.stop(), 0)
    assert.equal(await second.stop(), 0)
    assert.equal(assertWhole(t, run), 0)
  })

  test('a replica that is killed is replaced, and nothing is lost or reordered', async (t) => {
    const { run, send, start, allArrived } = await stage(t)
    const first = await start('replica-0')
    const second = await start('replica-1')
    const load = send(1_500)
    await sleep(300)
    await first.kill()
    await load
    await send(500)
    await allArrived()
    assert.equal(await second.stop(), 0)
    assertWhole(t, run)
  })

  test('a replica that was stopped for three leases and goes on reads nothing and commits nothing', async (t) => {
    const { server, run, leases, send, start, allArrived } = await stage(t)
    const zombie = await start('replica-0')
    await send(800)
    await eventually('it owns all', async () =>
      [...(await owners(leases)).values()].every(({ owner }) => owner === 'replica-0'),
    )
    await allArrived()
    await allCommitted(server, leases)
    const links = async () =>
      (await server.admin.connections())
        .flatMap((connection) => connection.links)
        .filter((link) => link.kind === 'reader' && link.hub === 'in')
    const before = new Map((await links()).map(({ partition, epoch }) => [partition, epoch]))
    // 0 would count as none.
    assert.ok([...before.values()].every((epoch) => (epoch ?? 0) >= 1))
    zombie.signal('SIGSTOP')
    const next = await start('replica-1')
    await eventually(
      'another has all',
      async () => [...(await owners(leases)).values()].every(({ owner }) => owner === 'replica-1'),
      undefined,
      patience,
    )
    await eventually('the service reads for the new epochs alone', async () => {
      const now = await links()
      return now.length === 4 && now.every(({ partition, epoch }) => (epoch ?? 0) > (before.get(partition) ?? 0))
    })
    await sleep(6_000)
    await send(800)
    await allArrived()
    const committed = await allCommitted(server, leases)
    zombie.signal('SIGCONT')
    await eventually(
      'the partitions are shared again',
      async () => {
        const held = [...(await owners(leases)).values()].map(({ owner }) => owner)
        return held.filter((owner) => owner === 'replica-0').length === 2 && held.length === 4
      },
      undefined,
      patience,
    )
    for (const [partition, position] of await checkpoints(leases))
      assert.ok(position >= (committed.get(partition) ?? 0), `checkpoint of ${partition} went back to ${position}`)
    await send(400)
    await allArrived()
    assert.equal(await next.stop(), 0)
    assert.equal(await zombie.stop(), 0)
    // It had delivered and committed all it had read, and what came while it slept went to its successor.
    assert.equal(assertWhole(t, run), 0)
  })

  test('a restart of the service in the middle loses and reorders nothing', async (t) => {
    const { server, run, send, start, arrived, allArrived } = await stage(t)
    const runtime = await start('replica-0')
    await send(1_000)
    await eventually('some arrived', arrived, (count) => count > 0, patience)
    for (let restart = 0; restart < 2; restart += 1) {
      const load = send(500)
      await sleep(50)
      await server.restart()
      await load
    }
    await allArrived()
    assert.equal(await runtime.stop(), 0)
    assertWhole(t, run)
  })

  test('what a person is told of a missing hub and a wrong connection string', async (t) => {
    const server = await startEventHubs({ hubs: { in: 1 }, durable: false, args: ['--key', 'test=right'] })
    t.after(() => server.stop())
    const runtime = await startRuntime({
      bridge: {
        name: 'copy',
        source: { eventHubs: connectionOf(server.endpoint, 'in') as never },
        sink: { eventHubs: connectionOf(server.endpoint, 'out') as never },
      },
      secrets: {
        azure: { 'connection-string': eventHubsConnectionString(server.endpoint, undefined, 'wrong-canary') },
      },
      leases: join(temporaryDirectory('event-hubs-told'), 'leases'),
      ready: false,
    })
    t.after(() => runtime.kill())
    const told = await eventually('errors', async () => {
      const text = JSON.stringify(await runtime.report())
      return text.includes('AuthenticationFailed') && text
    })
    assert.match(
      told,
      /event hub (in|out) in 127\.0\.0\.1: the service does not accept the key; check the connection string in the Secret/,
    )
    assert.ok(!told.includes('wrong-canary'))
    await runtime.stop()
  })

  test('the example moves records as it stands, and the guide shows it', async (t) => {
    assert.ok(readFileSync(guide, 'utf8').includes(readFileSync(example, 'utf8')))
    const server = await startEventHubs({ hubs: { audit: 2, 'audit-copy': 2 }, durable: false })
    t.after(() => server.stop())
    const spec = (await readManifests(example)).find(({ object }) => object['kind'] === 'StreamBridge')?.object['spec']
    const pointed = JSON.parse(
      JSON.stringify(spec).replaceAll(/(west|north)\.servicebus\.windows\.net/g, '127.0.0.1'),
    ) as { source: unknown; sink: unknown }
    const connectionString = eventHubsConnectionString(server.endpoint)
    const runtime = await startRuntime({
      bridge: { name: 'audit-copy', source: pointed.source as never, sink: pointed.sink as never },
      secrets: { 'audit-event-hubs': { source: connectionString, sink: connectionString } },
      leases: join(temporaryDirectory('event-hubs-example'), 'leases'),
    })
    t.after(() => runtime.kill())
    const run = testRun({ run: 'audit', keys: 10 })
    await produce(server.endpoint, 'audit', run.take(100))
    await eventually(
      'all copied',
      async () =>
        (await server.admin.hub('audit-copy')).partitions.reduce((sum, { events }) => sum + events, 0) === 100,
    )
    assert.equal(await runtime.stop(), 0)
  })
})
