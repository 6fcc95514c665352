/** What a person is told while something is wrong: `lastError` of the status, made of what the runtime answers on /status. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import type { RuntimeReport } from '../../../crds/schema/report.ts'
import { lastErrorOf } from '../../../operator/streambridge/status/figures.ts'
import { type EventHubsServer, eventHubsConnectionString, startEventHubs } from '../../support/event-hubs.ts'
import { eventually } from '../../support/eventually.ts'
import { startTcpProxy, type TcpProxy } from '../../support/faults/tcp-proxy.ts'
import { startRuntime } from '../../support/runtime-process.ts'
import { temporaryDirectory } from '../../support/server-process.ts'
import { connectionOf, numbered, send } from './harness.ts'

const patience = { within: 60_000 }

interface Options {
  readonly hubs?: Readonly<Record<string, number>>
  readonly source?: object
  /** Done before the bridge starts. */
  readonly first?: (server: EventHubsServer) => Promise<unknown>
  readonly key?: string
}

interface Stage {
  readonly server: EventHubsServer
  /** Between the bridge and the service. */
  readonly proxy: TcpProxy
  readonly report: () => Promise<RuntimeReport>
  /** Waits until it is the last error of the source or the sink; @returns its message */
  readonly told: (component: 'source' | 'sink', reason: string) => Promise<string>
  /** Waits until no error is left, and a record sent now arrives. */
  readonly mended: () => Promise<void>
}

/** The hub `in` is copied to the hub `out`; 127.0.0.1 is the namespace. */
async function stage(t: TestContext, options: Options = {}): Promise<Stage> {
  const { hubs = { in: 1, out: 1 }, source = {}, first, key = 'right-canary' } = options
  const server = await startEventHubs({ hubs, args: ['--key', 'test=right-canary'] })
  t.after(() => server.stop())
  const proxy = await startTcpProxy(server.endpoint)
  t.after(() => proxy.stop())
  await first?.(server)
  const endpoint = proxy.address
  const runtime = await startRuntime({
    bridge: {
      name: 'copy',
      source: { eventHubs: { ...connectionOf(endpoint, 'in'), partitionSyncInterval: '1s', ...source } as never },
      sink: { eventHubs: connectionOf(endpoint, 'out') as never },
      delivery: { commitInterval: '200ms', retry: { initialBackoff: '50ms', maxBackoff: '1s' } },
    },
    secrets: { azure: { 'connection-string': eventHubsConnectionString(endpoint, undefined, key) } },
    leases: join(temporaryDirectory('event-hubs-told'), 'leases'),
    ready: false,
  })
  t.after(() => runtime.kill())
  const report = async (): Promise<RuntimeReport> => {
    const found = await runtime.report()
    assert.ok(!JSON.stringify(found).includes('canary'), 'no key is told')
    return found
  }
  return {
    server,
    proxy,
    report,
    told: async (component, reason) => {
      const seen = await eventually(
        `${component}: ${reason}`,
        async () => lastErrorOf([await report()]),
        (error) => error?.component === component && error.reason === reason,
        patience,
      )
      t.diagnostic(seen?.message ?? '')
      return seen?.message ?? ''
    },
    mended: async () => {
      await eventually('no error', async () => (await report()).errors.length === 0, undefined, patience)
      const { out } = (await report()).totals
      await put(server, 1)
      await eventually('a record', async () => (await report()).totals.out > out, undefined, patience)
    },
  }
}

const put = (server: EventHubsServer, count: number, bytes = 10): Promise<void> =>
  send(server.endpoint, 'in', count === 1 ? [Buffer.alloc(bytes, 'x')] : numbered(count), 'right-canary')

const claim = (right: string): string =>
  `Unauthorized access. '${right}' claim(s) are required to perform this operation.`

suite('what a person is told of event hubs', { concurrency: 2 }, () => {
  test('the right to read is missing: the right and the role', async (t) => {
    const { server, told, mended } = await stage(t, {
      first: ({ admin }) =>
        admin.addFault({
          on: 'attach',
          do: 'detach',
          hub: 'in',
          count: 0,
          condition: 'amqp:unauthorized-access',
          description: claim('Listen'),
        }),
    })
    assert.equal(
      await told('source', 'AccessDenied'),
      'reading partition 0 in consumer group $Default of event hub in in 127.0.0.1: the shared access policy lacks the right Listen (as a role: Azure Event Hubs Data Receiver); grant it',
    )
    await server.admin.clearFaults()
    await mended()
  })

  test('the right to write is missing: the right and the role', async (t) => {
    const { server, told, mended } = await stage(t, {
      first: ({ admin }) =>
        admin.addFault({
          on: 'attach',
          do: 'detach',
          hub: 'out',
          count: 0,
          condition: 'amqp:unauthorized-access',
          description: claim('Send'),
        }),
    })
    assert.equal(
      await told('sink', 'AccessDenied'),
      'writing partition 0 of event hub out in 127.0.0.1: the shared access policy lacks the right Send (as a role: Azure Event Hubs Data Sender); grant it',
    )
    await server.admin.clearFaults()
    await mended()
  })

  for (const [hub, component, other] of [
    ['in', 'source', 'out'],
    ['out', 'sink', 'in'],
  ] as const)
    test(`the event hub of the ${component} is missing: its name`, async (t) => {
      const { server, told, mended } = await stage(t, { hubs: { [other]: 1 } })
      const message = await told(component, 'EventHubNotFound')
      assert.equal(
        message,
        `looking up event hub ${hub} in 127.0.0.1: it does not exist; create it, or correct spec.${component}.eventHubs.eventHubName`,
      )
      await server.admin.createHub(hub, 1)
      await mended()
    })

  test('the consumer group is missing: its name', async (t) => {
    const { server, told, mended } = await stage(t, { source: { consumerGroup: 'billing' } })
    assert.equal(
      await told('source', 'ConsumerGroupNotFound'),
      'reading partition 0 in consumer group billing of event hub in in 127.0.0.1: the consumer group does not exist; create it, or correct spec.source.eventHubs.consumerGroup',
    )
    await server.admin.createHub('in', 1, ['billing'])
    await mended()
  })

  test('the key is wrong from the start: where it stands', async (t) => {
    const { told } = await stage(t, { key: 'wrong-canary' })
    assert.match(
      await told('source', 'AuthenticationFailed'),
      /^looking up event hub in in 127\.0\.0\.1: the service does not accept the key; check the connection string in the Secret that spec\.source\.eventHubs\.auth\.connectionStringSecretRef names$/,
    )
  })

  test('the key was made anew while the bridge runs: where it stands', async (t) => {
    const { server, proxy, told, mended } = await stage(t)
    await mended()
    await server.admin.setKeys({ test: 'another-canary' })
    proxy.reset()
    assert.match(await told('source', 'AuthenticationFailed'), /does not accept the key; check the connection string/)
    await server.admin.setKeys({ test: 'right-canary' })
    await mended()
  })

  test('a token is expired as soon as it is made: the clock', async (t) => {
    const { server, told, mended } = await stage(t, {
      first: ({ admin }) =>
        admin.addFault({
          on: 'cbs',
          do: 'status',
          status: 401,
          condition: 'amqp:unauthorized-access',
          description: 'ExpiredToken: The token is expired. Expiration time: 11/21/2026 10:00:00.',
          count: 0,
        }),
    })
    assert.match(await told('source', 'AuthenticationFailed'), /check the clock of the node$/)
    await server.admin.clearFaults()
    await mended()
  })

  test('the service throttles: that it does, and nothing is lost', async (t) => {
    const { server, report, told, mended } = await stage(t)
    await mended()
    await server.admin.addFault({
      on: 'send',
      do: 'reject',
      hub: 'out',
      count: 0,
      condition: 'com.microsoft:server-busy',
      description: 'The request was terminated because the namespace is being throttled. Error code: 50002.',
    })
    await put(server, 20)
    assert.equal(
      await told('sink', 'Throttled'),
      'writing partition 0 of event hub out in 127.0.0.1: The request was terminated because the namespace is being throttled. Error code: 50002.',
    )
    await eventually('throttled is told', async () => (await report()).sink.throttled)
    await server.admin.clearFaults()
    await mended()
    assert.equal((await report()).totals.out, 22)
  })

  test('a record is too large: its size, the limit, and where the partition stands', async (t) => {
    const { server, report, told } = await stage(t)
    await put(server, 1, 1_048_450)
    const message = await told('sink', 'RecordTooLarge')
    assert.match(
      message,
      /an event of 1048[0-9]{3} bytes .* is larger than a batch may be \(1048576\): raise spec\.sink\.eventHubs\.limits\.maxBatchBytes/,
    )
    const [partition] = (await report()).partitions
    assert.equal(partition?.halted?.reason, 'StoppedAtRecord')
    assert.equal(partition.halted.message, message)
  })

  test('connections go silent, half open: that no answer comes, within 30 s', async (t) => {
    const { proxy, told, mended } = await stage(t)
    await mended()
    proxy.fault({ drop: ['toClient'] })
    const cut = performance.now()
    assert.match(await told('source', 'EndpointUnreachable'), /event hub in in 127\.0\.0\.1: .*no answer within 10 s/)
    const seconds = (performance.now() - cut) / 1_000
    assert.ok(seconds < 30, `${seconds}`)
    proxy.fault()
    await mended()
  })

  test('the service goes away and comes back: that it cannot be reached', async (t) => {
    const { server, told, mended } = await stage(t)
    await mended()
    await server.kill()
    assert.match(await told('source', 'EndpointUnreachable'), /event hub in in 127\.0\.0\.1: /)
    await server.restart()
    await mended()
  })
})
