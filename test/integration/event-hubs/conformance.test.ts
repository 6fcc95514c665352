import assert from 'node:assert/strict'
import { after } from 'node:test'
import type { EventData } from '@azure/event-hubs'
import { eventHubs } from '../../../bridge-runtime/connectors/event-hubs/index.ts'
import { connectorSuite } from '../../conformance/connector-suite.ts'
import { loseLeases, type PlainRecord } from '../../conformance/harness.ts'
import { namespaces } from '../../conformance/servers/event-hubs.ts'
import { consumerOf, producerOf, read } from '../../support/event-hubs-sdk.ts'

/** A key of a Secret per server; it has no colon. */
const secretOf = (endpoint: string): string => endpoint.replace(':', '_')

/** As a person writes them; the connection string comes from the Secret, which is made for the server. */
const sink = (endpoint: string, stream: string): object => ({
  fullyQualifiedNamespace: endpoint.split(':')[0],
  eventHubName: namespaces.hubOf(stream),
  auth: { connectionStringSecretRef: { name: 'azure', key: secretOf(endpoint) } },
})
const source = (endpoint: string, stream: string): object => ({
  ...sink(endpoint, stream),
  leaseDuration: '3s',
  partitionSyncInterval: '1s',
})

/** `azure/ENDPOINT` → a connection string, for whichever server a test uses. */
const secrets = new Proxy<Record<string, string>>(
  {},
  { get: (_, name) => namespaces.connectionString(String(name).replace('azure/', '').replace('_', ':')) },
)

const connectionOf = (endpoint: string, stream: string): string =>
  namespaces.connectionString(endpoint, namespaces.hubOf(stream))

const propertiesOf = ({ value, headers = {}, timestamp }: PlainRecord): Record<string, string> => ({
  ...headers,
  ...(timestamp === undefined ? {} : { 'streambridge-timestamp': String(timestamp) }),
  ...(value === null ? { 'streambridge-null-value': 'true' } : {}),
})

/** One key per batch, as the SDK has it; keys side by side. */
async function produce(endpoint: string, stream: string, records: readonly PlainRecord[]): Promise<void> {
  await using producer = producerOf(connectionOf(endpoint, stream))
  const keys = new Map<string | null, EventData[]>()
  for (const record of records) {
    const event = { body: record.value ?? Buffer.alloc(0), properties: propertiesOf(record) }
    keys.set(record.key, [...(keys.get(record.key) ?? []), event])
  }
  for (const [partitionKey, events] of keys)
    await producer.sendBatch(events, partitionKey === null ? {} : { partitionKey })
}

const ours = /^streambridge-(timestamp|null-value|packed)/

async function readAll(endpoint: string, stream: string): Promise<PlainRecord[]> {
  await using consumer = consumerOf(connectionOf(endpoint, stream))
  const records: PlainRecord[] = []
  for (const partition of await consumer.getPartitionIds()) {
    const stored = await consumer.getPartitionProperties(partition)
    if (stored.isEmpty) continue
    const count = stored.lastEnqueuedSequenceNumber - stored.beginningSequenceNumber + 1
    await using reading = read(consumer, { partition })
    for (const { body, partitionKey, properties = {} } of await reading.atLeast(count)) {
      const texts = Object.entries(properties).map(([name, value]) => [name, String(value)] as const)
      records.push({
        key: partitionKey ?? null,
        value: properties['streambridge-null-value'] === 'true' ? null : (body as Buffer),
        headers: Object.fromEntries(texts.filter(([name]) => !ours.test(name))),
        timestamp: Number(properties['streambridge-timestamp']),
      })
    }
  }
  return records
}

after(() => namespaces.stop())

connectorSuite({
  connector: eventHubs,
  exceptions: namespaces.exceptions,
  lacks: {},
  secrets,
  tooLarge: 1_048_577,
  target: () => namespaces.target(),
  createStream: (target, stream, partitions) => namespaces.createHub(target, stream, partitions),
  sourceConfig: source,
  sinkConfig: sink,
  produce,
  readAll,
  recreateStream: async (target, stream, partitions) => namespaces.recreateHub?.(target, stream, partitions),
  losePositions: loseLeases,
  async wrongCredentials(stream) {
    const canary = 'wrong-canary-7f3a'
    const server = await namespaces.refusing?.(stream, canary)
    assert.ok(server, 'a namespace that checks its key, or an exception')
    return {
      source: source(server.target, stream),
      sink: sink(server.target, stream),
      secrets: { [`azure/${secretOf(server.target)}`]: server.connectionString },
      canary,
      stop: () => server.stop(),
    }
  },
  interruption: () => namespaces.interruption(),
  async unreadable(target, stream) {
    await using producer = producerOf(connectionOf(target, stream))
    // Lists within each other, deeper than is followed.
    let body: unknown[] = []
    for (let depth = 0; depth < 100; depth += 1) body = [body]
    await producer.sendBatch([{ body, bodyType: 'value' } as EventData], { partitionKey: 'k' })
  },
})
