import type { EventHubConsumerClient, ReceivedEventData, Subscription } from '@azure/event-hubs'
import { eventHubsConnectionString } from '../event-hubs.ts'
import { consumerOf, producerOf } from '../event-hubs-sdk.ts'
import { sharedEventHubs, uniqueName } from '../shared-servers.ts'
import type { TestRecord, TestRun } from '../verifier.ts'
import { type End, lazily, leasedCheckpoints, markHeader, parts, type StreamClient } from './end.ts'

const auth = { connectionStringSecretRef: { name: 'azure', key: 'connection-string' } }

/** An event hub, with the vendor's SDK as the client. */
export async function eventHubsEnd(partitions = 4): Promise<End> {
  const { endpoint, admin } = await sharedEventHubs()
  const eventHubName = uniqueName('end')
  await admin.createHub(eventHubName, partitions, ['bridge'])
  const connection = { fullyQualifiedNamespace: endpoint.split(':')[0] ?? '', eventHubName, auth }
  const source = { ...connection, consumerGroup: 'bridge' }
  const client = eventHubsStream(eventHubsConnectionString(endpoint, eventHubName), partitions)
  return {
    broker: 'Event Hubs',
    stream: eventHubName,
    source: { eventHubs: source },
    hastySource: { eventHubs: { ...source, leaseDuration: '4s', partitionSyncInterval: '1s' } },
    sink: { eventHubs: connection },
    secrets: { azure: { 'connection-string': eventHubsConnectionString(endpoint) } },
    patience: 4_000,
    headers: true,
    send: client.send,
    checkpoints: leasedCheckpoints,
    collect: client.collect,
    async [Symbol.asyncDispose]() {
      await client.close()
      await admin.deleteHub(eventHubName)
    },
  }
}

/** @param connectionString names the hub; it is read with the consumer group `$Default` */
export function eventHubsStream(connectionString: string, partitions: number): StreamClient {
  const producer = lazily(
    () => Promise.resolve(producerOf(connectionString)),
    (client) => client.close(),
  )
  const collector = lazily(
    () => Promise.resolve(openCollector(consumerOf(connectionString), partitions)),
    (opened) => opened.close(),
  )
  return {
    async send(records) {
      const client = await producer.get()
      const sendKey = async ([partitionKey, ofKey]: readonly [string, readonly TestRecord[]]): Promise<void> => {
        for (const part of parts(ofKey, batchBytes)) await client.sendBatch(part.map(eventOf), { partitionKey })
      }
      await Promise.all([...byKey(records)].map(sendKey))
    },
    collect: async (run) => (await collector.get()).collect(run),
    async close() {
      await producer.close()
      await collector.close()
    },
  }
}

function byKey(records: readonly TestRecord[]): Map<string, TestRecord[]> {
  const keys = new Map<string, TestRecord[]>()
  for (const record of records) {
    const ofKey = keys.get(record.key)
    if (ofKey === undefined) keys.set(record.key, [record])
    else ofKey.push(record)
  }
  return keys
}

/** What one batch takes: 1 MiB with everything. */
const batchBytes = 700_000

const eventOf = ({ value, mark }: TestRecord) => ({ body: value, properties: { [markHeader]: mark } })

interface Collector {
  collect(run: TestRun): void
  close(): Promise<void>
}

function openCollector(client: EventHubConsumerClient, partitions: number): Collector {
  const arrived: ReceivedEventData[] = []
  let failure: Error | undefined
  const subscriptions = Array.from(
    { length: partitions },
    (_, partition): Subscription =>
      client.subscribe(
        String(partition),
        {
          processEvents: (events) => {
            arrived.push(...events)
            return Promise.resolve()
          },
          processError: (error) => {
            failure = error
            return Promise.resolve()
          },
        },
        { startPosition: { offset: '-1' }, maxBatchSize: 300, maxWaitTimeInSeconds: 1, skipParsingBodyAsJson: true },
      ),
  )
  return {
    collect(run) {
      if (failure !== undefined) throw failure
      for (const { body, partitionKey, properties } of arrived.splice(0))
        run.arrived(partitionKey ?? null, body as Buffer, properties?.[markHeader] as string | undefined)
    },
    async close() {
      await Promise.all(subscriptions.map((subscription) => subscription.close()))
      await client.close()
    },
  }
}
