/** Engines in this process, over the connector and what a test puts at the other end. */
import type { TestContext } from 'node:test'
import { pubsub } from '../../../bridge-runtime/connectors/pubsub/index.ts'
import { allDelivered, type Sink, type Source } from '../../../bridge-runtime/core/contracts.ts'
import type { EngineOptions } from '../../../bridge-runtime/core/engine.ts'
import { testContext } from '../../conformance/harness.ts'
import { MemoryLog, MemorySource } from '../../support/memory/source.ts'
import { type Running, runningEngine } from '../../support/running-engine.ts'
import type { TestRecord, TestRun } from '../../support/verifier.ts'
import { sinkConfig, sourceConfig } from './harness.ts'

export const source = (address: string, subscription: string, more: object = {}): Promise<Source> =>
  pubsub.source.open(pubsub.source.schema.parse(sourceConfig(address, subscription, more)), testContext({}))

export const sink = (address: string, topic: string, more: object = {}): Promise<Sink> =>
  pubsub.sink.open(pubsub.sink.schema.parse(sinkConfig(address, topic, more)), testContext({}))

/** Runs an engine in the background until it is stopped, or the test ends. */
export const running = (
  t: TestContext,
  openSource: EngineOptions['openSource'],
  openSink: EngineOptions['openSink'],
  more: Partial<EngineOptions> = {},
): Running =>
  runningEngine(t, { openSource, openSink, origin: 'pubsub/test', backoff: { initial: 20, max: 500 }, ...more })

/** A sink that hands every record to the checker, in the order of arrival; `gate` is awaited before each write. */
export const checking = (run: TestRun, gate: () => Promise<unknown> = async () => undefined): Sink => ({
  limits: { maxRecords: 100, maxBytes: 1_000_000 },
  open: async () => undefined,
  write: async (batch) => {
    await gate()
    for (const { key, value } of batch.records()) run.arrived(key?.toString() ?? null, value)
    return allDelivered
  },
  async [Symbol.asyncDispose]() {
    // Holds nothing.
  },
})

/** A source of these records; it ends when all are settled. */
export function recordsOf(records: readonly TestRecord[]): MemorySource {
  const log = new MemoryLog(1)
  for (const { key, value } of records) log.append(0, key, value)
  return new MemorySource(log, { finite: true, batch: 500 })
}
