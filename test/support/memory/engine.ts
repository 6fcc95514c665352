import { realClock } from '../../../bridge-runtime/core/clock.ts'
import { Engine, type EngineOptions } from '../../../bridge-runtime/core/engine.ts'
import type { MemorySink } from './sink.ts'
import type { MemorySource } from './source.ts'

/** An engine over memory connectors, with short intervals. */
export const memoryEngine = (source: MemorySource, sink: MemorySink, options: Partial<EngineOptions> = {}): Engine =>
  new Engine({
    openSource: () => Promise.resolve(source),
    openSink: () => Promise.resolve(sink),
    openDeadLetterSink: undefined,
    stages: () => [],
    sinkLanes: 3,
    origin: 'memory/log',
    ordering: 'PerKey',
    backoff: { initial: 1, max: 3 },
    maxInFlightBytes: 1_000_000,
    maxRecordsPerSecond: Number.POSITIVE_INFINITY,
    commitInterval: 5,
    drainTimeout: 5_000,
    clock: realClock,
    random: Math.random,
    onChange: () => undefined,
    onWrite: () => undefined,
    onNotice: () => undefined,
    ...options,
  })
