import type { EventData } from '@azure/event-hubs'
import { eventHubs } from '../../../bridge-runtime/connectors/event-hubs/index.ts'
import { connectorSuite } from '../../conformance/connector-suite.ts'
import type { PlainRecord } from '../../conformance/harness.ts'
import { eventHubsAdmin, eventHubsConnectionString, startEventHubs } from '../../support/event-hubs.ts'
import { startTcpProxy } from '../../support/faults/tcp-proxy.ts'
import { sharedEventHubs } from '../../support/shared-servers.ts'
import { consumerOf, producerOf, read } from '../../support/event-hubs-sdk.ts'

/** A key of a Secret per server; it has no colon. */
const secretOf = (endpoint: string): string => endpoint.replace(':', '_')

/** As a person writes them; the connection string comes from the Secret, which is made for the server. */
const sink = (endpoint: string, eventHubName: string): object => ({
  fullyQualifiedNamespace: endpoint.split(':')[0],
  eventHubName,
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
  { get: (_, name) => eventHubsConnectionString(String(name).replace('azure/', '').replace('_', ':')) },
)

/** Where the admin API of the server behind an endpoint is. */
const behind = new Map<string, string>()
async function adminOf(endpoint: string) {
  const url = behind.get(endpoint)
  return url === undefined ? (await sharedEventHubs()).admin : eventHubsAdmin(url)
}

const propertiesOf = ({ value, headers = {}, timestamp }: PlainRecord): Record<string, string> => ({
  ...headers,
  ...(timestamp === undefined ? {} : { 'streambridge-timestamp': String(timestamp) }),
  ...(value === null ? { 'streambridge-null-value': 'true' } : {}),
})

/** One key per batch, as the SDK has it; keys side by side. */
async function produce(endpoint: string, hub: string, records: readonly PlainRecord[]): Promise<void> {
  await using producer = producerOf(eventHubsConnectionString(endpoint, hub))
  const keys = new Map<string | null, EventData[]>()
  for (const record of records) {
    const event = { body: record.value ?? Buffer.alloc(0), properties: propertiesOf(record) }
    keys.set(record.key, [...(keys.get(record.key) ?? []), event])
  }
  for (const [partitionKey, events] of keys)
    await producer.sendBatch(events, partitionKey === null ? {} : { partitionKey })
}

const ours = /^streambridge-(timestamp|null-value|packed)/

async function readAll(endpoint: string, hub: string): Promise<PlainRecord[]> {
  const { partitions } = await (await adminOf(endpoint)).hub(hub)
  await using consumer = consumerOf(eventHubsConnectionString(endpoint, hub))
  const records: PlainRecord[] = []
  for (const [index, { events }] of partitions.entries()) {
    if (events === 0) continue
    await using reading = read(consumer, { partition: String(index) })
    for (const { body, partitionKey, properties = {} } of await reading.atLeast(events)) {
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

connectorSuite({
  connector: eventHubs,
  exceptions: {},
  lacks: {},
  secrets,
  tooLarge: 1_048_577,
  target: async () => (await sharedEventHubs()).endpoint,
  createStream: async (endpoint, hub, partitions) => void (await (await adminOf(endpoint)).createHub(hub, partitions)),
  sourceConfig: source,
  sinkConfig: sink,
  produce,
  readAll,
  async wrongCredentials(stream) {
    const server = await startEventHubs({ hubs: { [stream]: 1 }, durable: false, args: ['--key', 'test=right'] })
    const canary = 'wrong-canary-7f3a'
    return {
      source: source(server.endpoint, stream),
      sink: sink(server.endpoint, stream),
      secrets: {
        [`azure/${secretOf(server.endpoint)}`]: eventHubsConnectionString(server.endpoint, undefined, canary),
      },
      canary,
      stop: () => server.stop(),
    }
  },
  async interruption() {
    const server = await startEventHubs()
    const proxy = await startTcpProxy(server.endpoint)
    behind.set(proxy.address, server.adminUrl)
    return {
      target: proxy.address,
      async interrupt() {
        proxy.fault({ refuse: true })
        proxy.reset()
        await new Promise((resolve) => setTimeout(resolve, 500))
        await server.restart()
        proxy.fault()
      },
      stop: async () => {
        await proxy.stop()
        await server.stop()
      },
    }
  },
})
