import type { TestContext } from 'node:test'
import { type KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis'
import type { ConnectorContext } from '../../../bridge-runtime/connectors/define-connector.ts'
import { kinesisSink, kinesisSource } from '../../../bridge-runtime/connectors/kinesis/schema.ts'
import { realClock } from '../../../bridge-runtime/core/clock.ts'
import type { EngineOptions } from '../../../bridge-runtime/core/engine.ts'
import type { LeaseStore } from '../../../bridge-runtime/lease-stores/lease-store.ts'
import { memoryLeases } from '../../../bridge-runtime/lease-stores/memory.ts'
import { silentLogger } from '../../../bridge-runtime/observability/logger.ts'
import { kinesisCredentials, kinesisRegion } from '../../support/kinesis.ts'
import { type Running, runningEngine } from '../../support/running-engine.ts'
import type { TestRun } from '../../support/verifier.ts'
import { historyOn } from '../../support/leases/history.ts'

export const context = (
  replica = 'replica-0',
  leases: LeaseStore = memoryLeases(),
  onDataGap: 'Stop' | 'Continue' = 'Stop',
): ConnectorContext => ({
  bridge: { namespace: 'default', name: 'orders' },
  replica,
  leases,
  history: historyOn(leases, { onDataGap }),
  clock: realClock,
  log: silentLogger,
  field: 'spec.source.kinesis',
  onDataGap,
  throttled: () => undefined,
  secret: async ({ key }) =>
    Buffer.from(key === 'id' ? kinesisCredentials.accessKeyId : kinesisCredentials.secretAccessKey),
})

const auth = {
  accessKeyIdSecretRef: { name: 'aws', key: 'id' },
  secretAccessKeySecretRef: { name: 'aws', key: 'secret' },
}

export const sourceConfig = (endpoint: string, streamName: string, more: object = {}) =>
  kinesisSource.parse({
    streamName,
    region: kinesisRegion,
    endpoint,
    auth,
    polling: { interval: '200ms' },
    leaseDuration: '3s',
    shardSyncInterval: '1s',
    ...more,
  })

export const sinkConfig = (endpoint: string, streamName: string, more: object = {}) =>
  kinesisSink.parse({ streamName, region: kinesisRegion, endpoint, auth, ...more })

/** Runs an engine in the background until it is stopped, or the test ends. */
export const running = (
  t: TestContext,
  openSource: EngineOptions['openSource'],
  openSink: EngineOptions['openSink'],
  sinkLanes = 8,
): Running =>
  runningEngine(t, { openSource, openSink, sinkLanes, origin: 'kinesis/test', backoff: { initial: 50, max: 1_000 } })

/**
 * Writes records with the SDK alone, in the order of each key: one record per key and request, each request after the last.
 */
export async function produce(client: KinesisClient, stream: string, run: TestRun, count: number): Promise<void> {
  let waiting = run.take(count)
  while (waiting.length > 0) {
    const keys = new Set<string>()
    const now = waiting.filter(({ key }) => keys.size < 200 && !keys.has(key) && keys.add(key))
    const chosen = new Set(now)
    waiting = waiting.filter((record) => !chosen.has(record))
    for (let rest = now; rest.length > 0; ) {
      const Records = rest.map(({ key, value }) => ({ PartitionKey: key, Data: value }))
      const { Records: results = [] } = await client.send(new PutRecordsCommand({ StreamName: stream, Records }))
      rest = rest.filter((_, index) => results[index]?.ErrorCode !== undefined)
    }
  }
}
