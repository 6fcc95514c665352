import type { Pump } from './pump.ts'

/** Milliseconds without a settlement, with records known to wait, after which a partition stands still. */
export const stallTimeout = 60_000
/**
 * The same for a partition that replicas share (Pub/Sub): what waits may be another's, and how much waits is known up to
 * ten minutes late.
 */
export const sharedStallTimeout = 900_000

interface Watched {
  /** Changes with each settlement. */
  readonly mark: number
  /** Monotonic milliseconds. */
  readonly since: number
}

function waits(pump: Pump): boolean {
  if (pump.halted !== undefined || pump.limited) return false
  if (pump.busy) return true
  const lag = pump.reader.lag()
  return pump.shared && lag.kind === 'known' && (lag.records ?? 0) > 0
}

export interface Stall {
  /** Since the last settlement, or since records were first seen to wait. */
  readonly milliseconds: number
  /** The time after which it is told. */
  readonly after: number
  /** Another replica may move them. */
  readonly shared: boolean
}

/** Which partitions have records that wait and do not move. Looks now and then; what happens between two looks counts. */
export class StallDetector {
  readonly #watched = new Map<Pump, Watched>()

  /** @param settled records settled so far by this replica: what moves in a partition that it shares */
  look(pumps: readonly Pump[], now: number, settled: number): void {
    for (const pump of this.#watched.keys()) if (!pumps.includes(pump)) this.#watched.delete(pump)
    for (const pump of pumps) {
      if (!waits(pump)) {
        this.#watched.delete(pump)
        continue
      }
      const mark = pump.shared ? settled : pump.movedAt
      if (this.#watched.get(pump)?.mark !== mark) this.#watched.set(pump, { mark, since: now })
    }
  }

  /** Undefined while it moves, has nothing to move, or has not stood for long enough to tell. */
  of(pump: Pump, now: number): Stall | undefined {
    const since = this.#watched.get(pump)?.since
    const shared = pump.shared
    const after = shared ? sharedStallTimeout : stallTimeout
    return since === undefined || now - since <= after ? undefined : { milliseconds: now - since, after, shared }
  }
}
