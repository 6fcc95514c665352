/** Says that records stand still, and why, as far as this replica knows. */
import type { Engine } from '../core/engine.ts'
import type { Pump } from '../core/pump.ts'

function why({ errors, statistics }: Engine, pump: Pump, now: number): string {
  const [error] = errors.all()
  if (error !== undefined) return `${error.component} ${error.error.reason}: ${error.error.message}`
  if (statistics.rates(now).throttled) return 'the sink asks to slow down'
  if (pump.inFlightRecords > 0) return 'the sink has not answered yet'
  return 'the source brings none of them and tells no error: see the log of this replica'
}

export interface ReportedStall {
  readonly seconds: number
  /** Rests while the cause does. */
  readonly message: string
  readonly shared: boolean
}

/** Undefined where records move or none waits. @param now monotonic milliseconds */
export function stallOf(engine: Engine, pump: Pump, now: number): ReportedStall | undefined {
  const still = engine.stalls.of(pump, now)
  if (still === undefined) return undefined
  const message = `records wait and none has moved for more than ${still.after / 1000} s: ${why(engine, pump, now)}`
  return { seconds: Math.floor(still.milliseconds / 1000), message, shared: still.shared }
}
