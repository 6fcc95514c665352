/** Runs `reconcile` for keys: at once on a change, later when it asks for it, after a growing wait when it fails. */
import type { Clock } from '../../bridge-runtime/core/clock.ts'
import { errorText, type Logger } from '../../bridge-runtime/observability/logger.ts'
import type { Backoff } from './backoff.ts'
import { createWorkQueue } from './work-queue.ts'

/** When the key wants to be looked at again, beside the next change. */
export type Outcome = { readonly again: 'onChange' } | { readonly again: 'after'; readonly milliseconds: number }

export type RunResult = 'onChange' | 'after' | 'failed'

export interface ControllerOptions {
  /** Reads the world afresh. A rejection is a failure: logged, counted, repeated with backoff. */
  readonly reconcile: (key: string, signal: AbortSignal) => Promise<Outcome>
  readonly clock: Clock
  readonly backoff: Backoff
  /** Keys reconciled at the same time. */
  readonly concurrency: number
  readonly logger: Logger
  /** Called after each run, for metrics. */
  readonly onRun?: (key: string, result: RunResult, milliseconds: number) => void
}

export interface Controller {
  /** Asks for a run of the key. */
  enqueue(key: string): void
  /** Takes no more keys, aborts the signal of the runs under way and resolves when they are over. */
  stop(): Promise<void>
}

/** Starts at once. One key that fails or hangs holds up no other, except for its place among `concurrency`. */
export function startController(options: ControllerOptions): Controller {
  const { reconcile, clock, logger, onRun } = options
  const queue = createWorkQueue(clock, options.backoff)
  const stopping = new AbortController()

  const runOnce = async (key: string): Promise<RunResult> => {
    try {
      const outcome = await reconcile(key, stopping.signal)
      if (outcome.again === 'after') queue.addAfter(key, outcome.milliseconds)
      return outcome.again
    } catch (error) {
      if (!stopping.signal.aborted) logger.warn('reconcile failed', { key, error: errorText(error) })
      return 'failed'
    }
  }

  const worker = async (): Promise<void> => {
    for (let key = await queue.next(); key !== undefined; key = await queue.next()) {
      const started = clock.monotonic()
      const result = await runOnce(key)
      queue.done(key, result === 'failed' ? 'failed' : 'ok')
      onRun?.(key, result, clock.monotonic() - started)
    }
  }

  const workers = Array.from({ length: options.concurrency }, worker)

  return {
    enqueue: (key) => queue.add(key),
    async stop() {
      stopping.abort()
      queue.close()
      await Promise.all(workers)
    },
  }
}
