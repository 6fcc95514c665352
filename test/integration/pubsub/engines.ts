/** Engines in this process, over the connector and what a test puts at the other end. */
import type { TestContext } from 'node:test'
import { pubsub } from '../../../bridge-runtime/connectors/pubsub/index.ts'
import type { Sink, Source } from '../../../bridge-runtime/core/contracts.ts'
import { durably } from '../../../bridge-runtime/core/delivery/writer.ts'
import type { EngineOptions } from '../../../bridge-runtime/core/engine.ts'
import { testContext } from '../../conformance/harness.ts'
import { type Running, runningEngine } from '../../support/running-engine.ts'
import { sinkConfig, sourceConfig } from './harness.ts'

export const source = (address: string, subscription: string, more: object = {}): Promise<Source> =>
  pubsub.source.open(pubsub.source.schema.parse(sourceConfig(address, subscription, more)), testContext({}))

export const sink = async (address: string, topic: string, more: object = {}): Promise<Sink> =>
  durably(await pubsub.sink.open(pubsub.sink.schema.parse(sinkConfig(address, topic, more)), testContext({})))

/** Runs an engine in the background until it is stopped, or the test ends. */
export const running = (
  t: TestContext,
  openSource: EngineOptions['openSource'],
  openSink: EngineOptions['openSink'],
  more: Partial<EngineOptions> = {},
): Running =>
  runningEngine(t, { openSource, openSink, origin: 'pubsub/test', backoff: { initial: 20, max: 500 }, ...more })
