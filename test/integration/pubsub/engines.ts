/** Engines in this process, over the connector and what a test puts at the other end. */
import type { TestContext } from 'node:test'
import { pubsub } from '../../../bridge-runtime/connectors/pubsub/index.ts'
import { realClock } from '../../../bridge-runtime/core/clock.ts'
import { allDelivered, type Sink, type Source } from '../../../bridge-runtime/core/contracts.ts'
import { Engine, type EngineOptions } from '../../../bridge-runtime/core/engine.ts'
import { testContext } from '../../conformance/harness.ts'
import { MemoryLog, MemorySource } from '../../support/memory/source.ts'
import type { TestRecord, TestRun } from '../../support/verifier.ts'
import { sinkConfig, sourceConfig } from './harness.ts'

export const source = (address: string, subscription: string, more: object = {}): Promise<Source> =>
  pubsub.source.open(pubsub.source.schema.parse(sourceConfig(address, subscription, more)), testContext({}))

export const sink = (address: string, topic: string, more: object = {}): Promise<Sink> =>
  pubsub.sink.open(pubsub.sink.schema.parse(sinkConfig(address, topic, more)), testContext({}))

export interface Running {
  readonly engine: Engine
  /** Drains and stops. */
  stop(): Promise<void>
}

/** Runs an engine in the background until it is stopped, or the test ends. */
export function running(
  t: TestContext,
  from: EngineOptions['openSource'],
  to: EngineOptions['openSink'],
  more: Partial<EngineOptions> = {},
): Running {
  const engine = new Engine({
    openSource: from,
    openSink: to,
    openDeadLetterSink: undefined,
    sinkLanes: 8,
    origin: 'pubsub/test',
    ordering: 'PerKey',
    backoff: { initial: 20, max: 500 },
    maxRecordsPerSecond: Number.POSITIVE_INFINITY,
    maxInFlightBytes: 32 * 1024 * 1024,
    commitInterval: 300,
    drainTimeout: 20_000,
    clock: realClock,
    random: Math.random,
    onChange: () => undefined,
    onWrite: () => undefined,
    ...more,
  })
  const stopped = new AbortController()
  const done = engine.run(stopped.signal)
  const stop = async (): Promise<void> => {
    stopped.abort()
    await done
  }
  t.after(stop)
  return { engine, stop }
}

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
