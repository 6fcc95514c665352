import type { TestContext } from 'node:test'
import type { ConnectorContext } from '../../../bridge-runtime/connectors/define-connector.ts'
import { Hub } from '../../../bridge-runtime/connectors/event-hubs/hub.ts'
import { HubReader } from '../../../bridge-runtime/connectors/event-hubs/read/partition-reader.ts'
import { eventHubsSink, eventHubsSource } from '../../../bridge-runtime/connectors/event-hubs/schema.ts'
import { realClock } from '../../../bridge-runtime/core/clock.ts'
import type { BridgeRecord, PartitionReader, SinkBatch } from '../../../bridge-runtime/core/contracts.ts'
import type { LeaseStore } from '../../../bridge-runtime/lease-stores/lease-store.ts'
import { memoryLeases } from '../../../bridge-runtime/lease-stores/memory.ts'
import { silentLogger } from '../../../bridge-runtime/observability/logger.ts'
import { eventHubsConnectionString } from '../../support/event-hubs.ts'
import { eventually } from '../../support/eventually.ts'
import type { TestRecord } from '../../support/verifier.ts'
import { producerOf } from '../../support/event-hubs-sdk.ts'
import { historyOn } from '../../support/leases/history.ts'
import { ownershipOf } from '../../support/leases/ownership.ts'
import { sinkBatch } from '../../support/sink-batch.ts'

export const never = new AbortController().signal
export const secretName = 'azure'
export const auth = { connectionStringSecretRef: { name: secretName, key: 'connection-string' } }

export const connectionOf = (endpoint: string, hub: string): object => ({
  fullyQualifiedNamespace: endpoint.split(':')[0],
  eventHubName: hub,
  auth,
})

export const sourceConfig = (endpoint: string, hub: string, more: object = {}) =>
  eventHubsSource.parse({
    ...connectionOf(endpoint, hub),
    leaseDuration: '3s',
    partitionSyncInterval: '1s',
    ...more,
  })

export const sinkConfig = (endpoint: string, hub: string, more: object = {}) =>
  eventHubsSink.parse({ ...connectionOf(endpoint, hub), ...more })

export const context = (
  endpoint: string,
  {
    replica = 'replica-0',
    leases = memoryLeases(),
    onDataGap = 'Stop',
  }: { replica?: string; leases?: LeaseStore; onDataGap?: 'Stop' | 'Continue' } = {},
): ConnectorContext => ({
  bridge: { namespace: 'default', name: 'orders' },
  replica,
  leases,
  history: historyOn(leases, { onDataGap }),
  clock: realClock,
  log: silentLogger,
  field: 'spec.source.eventHubs',
  onDataGap,
  throttled: () => undefined,
  secret: async () => Buffer.from(eventHubsConnectionString(endpoint)),
})

export interface ReaderOptions {
  readonly endpoint: string
  readonly hub: string
  readonly epoch?: number
  readonly committed?: number
  /** In the connector's words. */
  readonly start?: string
  readonly onDataGap?: 'Stop' | 'Continue'
}

/** A reader of partition 0, without a coordinator. */
export function readerOf(t: TestContext, options: ReaderOptions): HubReader {
  const { endpoint, hub, epoch = 1, committed, start = 'Earliest', onDataGap = 'Stop' } = options
  const api = new Hub(sourceConfig(endpoint, hub), context(endpoint), 'Listen')
  const ownership = ownershipOf('0', {
    epoch,
    start,
    checkpoint: { position: committed === undefined ? undefined : String(committed), ended: false },
  })
  const reader = new HubReader(ownership, {
    api,
    consumerGroup: '$Default',
    onDataGap,
    replica: `replica-${epoch}`,
    clock: realClock,
    log: silentLogger,
  })
  t.after(async () => {
    reader.close()
    await api[Symbol.asyncDispose]()
  })
  return reader
}

/** Polls until so many records came. A poll that fails is a failure of the test, unless it is retryable. */
export async function take(reader: PartitionReader, count: number): Promise<BridgeRecord[]> {
  const records: BridgeRecord[] = []
  await eventually(
    `${count} records`,
    async () => {
      const batch = await reader.poll(never)
      if (batch !== undefined && batch !== 'end') records.push(...batch.records())
      return records.length
    },
    (length) => length >= count,
    { within: 60_000, every: 0 },
  )
  return records
}

/** Sends bodies to partition 0 with the vendor's SDK. */
export async function send(endpoint: string, hub: string, bodies: readonly Buffer[], key?: string): Promise<void> {
  await using producer = producerOf(eventHubsConnectionString(endpoint, hub, key))
  for (let from = 0; from < bodies.length; from += 100)
    await producer.sendBatch(
      bodies.slice(from, from + 100).map((body) => ({ body })),
      { partitionId: '0' },
    )
}

export const numbered = (count: number, from = 0): Buffer[] =>
  Array.from({ length: count }, (_, index) => Buffer.from(String(from + index)))

/** Sends records with the vendor's SDK, in the order of each key. */
export async function produce(endpoint: string, hub: string, records: readonly TestRecord[]): Promise<void> {
  await using producer = producerOf(eventHubsConnectionString(endpoint, hub))
  const keys = Map.groupBy(records, ({ key }) => key)
  for (const [partitionKey, own] of keys)
    await producer.sendBatch(
      own.map(({ value }) => ({ body: value })),
      { partitionKey },
    )
}

export function batchOf(
  records: readonly { readonly key: string | null; readonly value: Buffer | null }[],
  position = 0,
): SinkBatch {
  const whole = records.map(({ key, value }) => ({
    key: key === null ? null : Buffer.from(key),
    value,
    timestamp: Date.now(),
  }))
  return sinkBatch(whole, { stream: 'test/hub', position })
}
