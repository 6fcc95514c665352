/** The emulator and the connector, judged by the vendor's SDKs in Python and Go, as producers and as consumers. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test, type TestContext } from 'node:test'
import { partitionOf } from '../../emulators/event-hubs/partition-key.ts'
import { azureGoJudge } from '../../support/azure-go-judge.ts'
import { type EventHubsServer, startEventHubs } from '../../support/event-hubs.ts'
import { pythonWithClients } from '../../support/python.ts'
import { runCommand } from '../../support/run-command.ts'
import { uniqueName } from '../../support/shared-servers.ts'
import { producerOf } from '../../support/event-hubs-sdk.ts'
import { readerOf, take } from '../event-hubs/harness.ts'

let server: EventHubsServer
before(async () => void (server = await startEventHubs({ durable: false })))
after(() => server.stop())

interface Judge {
  readonly sdk: 'python' | 'go'
  readonly command: () => Promise<readonly string[]>
}

const judges: readonly Judge[] = [
  { sdk: 'python', command: async () => [await pythonWithClients(), join(import.meta.dirname, 'judge.py')] },
  { sdk: 'go', command: async () => [await azureGoJudge()] },
]

/** Milliseconds a judge may take: one that hangs fails its test. */
const patience = 60_000

async function ask<T>({ command }: Judge, what: string, ...args: readonly string[]): Promise<T> {
  const [program = '', ...rest] = await command()
  return JSON.parse(await runCommand(program, [...rest, what, ...args], { timeout: patience })) as T
}

async function newHub(t: TestContext, partitions = 1): Promise<{ readonly hub: string; readonly connection: string }> {
  const hub = uniqueName(t)
  await server.admin.createHub(hub, partitions)
  return { hub, connection: server.connectionString(hub) }
}

interface Description {
  readonly name: string
  readonly partitions: readonly string[]
  readonly created: number
  readonly begin: number
  readonly last: number
  readonly empty: boolean
}

interface Consumed {
  readonly number: number
  readonly key: string | null
  readonly body: string
  readonly properties: Readonly<Record<string, string>>
}

/** What the SDKs write, with the text that the guide promises for it. */
const documented = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../support/azure-sdk-events.json'), 'utf8'),
) as Readonly<
  Record<
    Judge['sdk'],
    readonly { readonly value: string | null; readonly headers?: Readonly<Record<string, string>> }[]
  >
>

const plain = (bytes: Buffer | null): string | null => {
  const text = bytes?.toString('utf8') ?? null
  return text === null || bytes?.equals(Buffer.from(text)) === true ? text : `hex:${bytes?.toString('hex')}`
}

for (const judge of judges)
  suite(`the SDK of ${judge.sdk}`, { concurrency: 2 }, () => {
    test('is told what a hub and a partition are, with and without events', async (t) => {
      const { hub, connection } = await newHub(t, 2)
      const empty = await ask<Description>(judge, 'describe', connection, '1')
      assert.deepEqual([empty.name, empty.partitions, empty.empty, empty.last], [hub, ['0', '1'], true, -1])
      assert.ok(empty.created > 0)
      await using producer = producerOf(connection)
      await producer.sendBatch([{ body: 'a' }, { body: 'b' }], { partitionId: '1' })
      const filled = await ask<Description>(judge, 'describe', connection, '1')
      assert.deepEqual([filled.empty, filled.begin, filled.last], [false, 0, 1])
    })

    test('writes values of every type it has, and the connector reads each as the text that is documented', async (t) => {
      const { hub, connection } = await newHub(t)
      await ask(judge, 'values', connection, '0')
      const expected = documented[judge.sdk]
      const records = await take(readerOf(t, { endpoint: server.endpoint, hub }), expected.length)
      for (const [index, { value, headers = {} }] of expected.entries()) {
        const record = records[index]
        assert.ok(record !== undefined && record.poison === undefined)
        assert.equal(plain(record.value), value)
        const found = Object.fromEntries(record.headers.map((header) => [header.name, plain(header.value)]))
        assert.deepEqual(found, headers)
      }
    })

    test('chooses the partition by the key, and the key is the record’s', async (t) => {
      const { hub, connection } = await newHub(t, 4)
      await ask(judge, 'keyed', connection, '0')
      const stored = await server.admin.dump(hub, String(partitionOf('a key', 4)))
      assert.deepEqual(
        stored.map(({ partitionKey }) => partitionKey),
        ['a key'],
      )
    })

    test('is told that a batch is refused, and why, and does not wait for ever', async (t) => {
      const { hub, connection } = await newHub(t)
      const fault = {
        on: 'send',
        do: 'reject',
        hub,
        condition: 'amqp:not-allowed',
        description: 'not today',
        count: 0,
      } as const
      await server.admin.addFault(fault)
      assert.match(await ask<string>(judge, 'refused', connection, '0'), /not today/)
    })

    test('is told that there is no such hub', async () => {
      await assert.rejects(
        ask(judge, 'describe', server.connectionString('nowhere'), '0'),
        /could not be found|ErrorCondition.NotFound/,
      )
    })

    test('finds a hub and its consumer group whatever the case of their names', async (t) => {
      const { hub } = await newHub(t)
      const connection = server.connectionString(hub.toUpperCase())
      await ask(judge, 'keyed', connection, '0')
      assert.equal((await ask<Description>(judge, 'describe', connection, '0')).name, hub)
      const [event] = await ask<readonly Consumed[]>(judge, 'consume', connection, '0', '1')
      assert.deepEqual([event?.key, event?.body], ['a key', 'keyed'])
    })

    test('reads what another SDK wrote, from the first event on, in order', async (t) => {
      const { connection } = await newHub(t)
      await using producer = producerOf(connection)
      const bodies = Array.from({ length: 300 }, (_, index) => String(index))
      await producer.sendBatch(
        bodies.map((body) => ({ body: Buffer.from(body), properties: { text: `é${body}` } })),
        { partitionKey: 'k' },
      )
      const events = await ask<readonly Consumed[]>(judge, 'consume', connection, '0', '300')
      assert.deepEqual(
        events,
        bodies.map((body, number) => ({ number, key: 'k', body, properties: { text: `é${body}` } })),
      )
    })
  })
