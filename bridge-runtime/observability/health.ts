import type { Engine } from '../core/engine.ts'
import { stallOf } from './progress.ts'

/** Milliseconds without any settlement, with work waiting and no error to explain it, after which a restart is due. */
export const stallAfter = 120_000

export interface Verdict {
  readonly ok: boolean
  readonly message: string
}

/**
 * Liveness is progress. A restart cannot bring back a broker, so a bridge that knows why it stands still is alive; one
 * that stands still without a known reason is not.
 *
 * @param now monotonic milliseconds
 */
export function liveness(engine: Engine, now: number): Verdict {
  const { errors } = engine
  const explained =
    engine.state !== 'running' ||
    errors.all().some(({ component, error }) => errors.disconnected(component) || error.reason === 'Throttled')
  const stalled = explained
    ? []
    : engine.pumps.filter(
        (pump) => pump.halted === undefined && !pump.limited && pump.busy && now - pump.movedAt > stallAfter,
      )
  const names = stalled.map((pump) => pump.reader.partition).join(', ')
  return stalled.length === 0
    ? { ok: true, message: 'ok' }
    : { ok: false, message: `no progress for ${stallAfter / 1000} s in ${names}` }
}

/**
 * Ready: source and sink are connected, nothing is being shut down, and no partition of this replica's own stands still.
 *
 * @param now monotonic milliseconds
 */
export function readiness(engine: Engine, now: number): Verdict {
  if (engine.state === 'draining') return { ok: false, message: 'draining' }
  if (engine.state === 'finished') return { ok: true, message: 'finished' }
  const missing = [...(engine.sourceConnected ? [] : ['source']), ...(engine.sinkConnected ? [] : ['sink'])]
  if (missing.length > 0) return { ok: false, message: `not connected: ${missing.join(', ')}` }
  for (const pump of engine.pumps) {
    const still = stallOf(engine, pump, now)
    if (still?.shared === false) return { ok: false, message: `partition ${pump.reader.partition}: ${still.message}` }
  }
  return { ok: true, message: 'ok' }
}
