import type { PartitionReport, RuntimeReport } from '../../crds/schema/report.ts'
import type { Clock } from '../core/clock.ts'
import type { Engine } from '../core/engine.ts'
import type { Pump } from '../core/pump.ts'
import { stallOf } from './progress.ts'

export interface Identity {
  readonly version: string
  readonly replica: string
  readonly configHash: string
}

function partitionReport(engine: Engine, pump: Pump, now: number): PartitionReport {
  const { reader, committed, halted, inFlightRecords } = pump
  const still = stallOf(engine, pump, now)
  return {
    partition: reader.partition,
    epoch: reader.epoch,
    lag: reader.lag(),
    inFlightRecords,
    ...(committed === undefined ? {} : { committed: String(committed) }),
    ...(halted === undefined ? {} : { halted }),
    ...(still === undefined ? {} : { still: { seconds: still.seconds, message: still.message } }),
  }
}

/** What this replica answers on `GET /status`. Holds no secret: error messages are made without them. */
export function report(engine: Engine, identity: Identity, clock: Clock): RuntimeReport {
  const now = clock.monotonic()
  const { statistics, pumps, errors, partitions } = engine
  const rates = statistics.rates(now)
  const oldest = Math.min(...pumps.map((pump) => pump.oldest ?? Number.POSITIVE_INFINITY))
  const { lastCommitAt, lastDeadLetter } = statistics
  const { throttles: _, ...totals } = statistics.totals
  return {
    ...identity,
    state: engine.state,
    at: clock.now(),
    uptime: process.uptime(),
    source: { connected: engine.sourceConnected, ...(partitions === undefined ? {} : { partitions }) },
    sink: { connected: engine.sinkConnected, throttled: rates.throttled },
    partitions: pumps.map((pump) => partitionReport(engine, pump, now)),
    totals,
    ...(statistics.steps.size === 0
      ? {}
      : { steps: [...statistics.steps].map(([step, figures]) => ({ step, ...figures })) }),
    rates: { in: rates.in, out: rates.out },
    busy: rates.busy,
    inFlightBytes: pumps.reduce((sum, pump) => sum + pump.inFlightBytes, 0),
    ...(lastCommitAt === undefined ? {} : { lastCommitAt }),
    ...(oldest === Number.POSITIVE_INFINITY ? {} : { oldestUnsettledSeconds: (now - oldest) / 1000 }),
    ...(lastDeadLetter === undefined ? {} : { lastDeadLetter }),
    errors: errors.all().map(({ component, error, count, firstAt, lastAt }) => ({
      component,
      reason: error.reason,
      kind: error.kind,
      message: error.message.slice(0, 1000),
      count,
      firstAt,
      lastAt,
    })),
  }
}
