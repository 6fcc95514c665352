import type { TestContext } from 'node:test'
import { realClock } from '../../bridge-runtime/core/clock.ts'
import { Engine, type EngineOptions } from '../../bridge-runtime/core/engine.ts'

export interface Running {
  readonly engine: Engine
  /** Drains and stops. */
  stop(): Promise<void>
}

/** Runs an engine in the background of this process until it is stopped, or the test ends. */
export function runningEngine(
  t: TestContext,
  options: Pick<EngineOptions, 'openSource' | 'openSink' | 'origin' | 'backoff'> & Partial<EngineOptions>,
): Running {
  const engine = new Engine({
    openDeadLetterSink: undefined,
    stages: () => [],
    sinkLanes: 8,
    ordering: 'PerKey',
    maxRecordsPerSecond: Number.POSITIVE_INFINITY,
    maxInFlightBytes: 32 * 1024 * 1024,
    commitInterval: 300,
    drainTimeout: 20_000,
    clock: realClock,
    random: Math.random,
    onChange: () => undefined,
    onWrite: () => undefined,
    onNotice: () => undefined,
    ...options,
  })
  return keepRunning(t, engine)
}

/** The same for an engine that is made already. */
export function keepRunning(t: TestContext, engine: Engine): Running {
  const stopped = new AbortController()
  const done = engine.run(stopped.signal)
  const stop = async (): Promise<void> => {
    stopped.abort()
    await done
  }
  t.after(stop)
  return { engine, stop }
}
