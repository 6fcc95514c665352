import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Clock } from '../core/clock.ts'
import type { Engine } from '../core/engine.ts'

/** Every metric of the runtime: name, help, labels. The reference is made from this table. */
export const metricTable = {
  streambridge_records_in_total: { type: 'counter', help: 'Records read from the source.', labels: [] },
  streambridge_records_out_total: { type: 'counter', help: 'Records the sink has acknowledged.', labels: [] },
  streambridge_bytes_in_total: { type: 'counter', help: 'Payload bytes read from the source.', labels: [] },
  streambridge_dead_lettered_total: {
    type: 'counter',
    help: 'Records the dead-letter sink has acknowledged.',
    labels: ['reason'],
  },
  streambridge_retries_total: {
    type: 'counter',
    help: 'Records sent again after a failure that may pass.',
    labels: [],
  },
  streambridge_repeats_total: {
    type: 'counter',
    help: 'Records that the source delivered again although the sink had them: they were settled, not moved.',
    labels: [],
  },
  streambridge_filtered_total: {
    type: 'counter',
    help: 'Records that a step on the way dropped.',
    labels: ['step'],
  },
  streambridge_step_records_total: { type: 'counter', help: 'Records that a step was given.', labels: ['step'] },
  streambridge_step_failed_total: { type: 'counter', help: 'Records that a step could not take.', labels: ['step'] },
  streambridge_step_seconds_total: {
    type: 'counter',
    help: 'Time that a step has worked, in seconds.',
    labels: ['step'],
  },
  streambridge_throttles_total: {
    type: 'counter',
    help: 'Sink requests that the sink asked to slow down.',
    labels: [],
  },
  streambridge_lag_records: {
    type: 'gauge',
    help: 'Records between the committed position and the end. Absent when unknown.',
    labels: ['partition'],
  },
  streambridge_lag_seconds: {
    type: 'gauge',
    help: 'Seconds between the committed position and the end. Absent when unknown.',
    labels: ['partition'],
  },
  streambridge_inflight_bytes: { type: 'gauge', help: 'Payload bytes read and not settled.', labels: [] },
  streambridge_inflight_records: { type: 'gauge', help: 'Records read and not settled.', labels: [] },
  streambridge_assigned_partitions: { type: 'gauge', help: 'Partitions this replica owns.', labels: [] },
  streambridge_halted_partitions: { type: 'gauge', help: 'Partitions that wait for a person.', labels: [] },
  streambridge_connection_up: { type: 'gauge', help: '1 while the connection works.', labels: ['side'] },
  streambridge_checkpoint_age_seconds: {
    type: 'gauge',
    help: 'Seconds since a position was last committed. Absent before the first.',
    labels: [],
  },
} as const

type Name = keyof typeof metricTable

/** Reads the engine when scraped; nothing is counted twice on the way of the records. */
export function createMetrics(clock: Clock): {
  readonly registry: Registry
  readonly onWrite: (milliseconds: number) => void
  observe(engine: Engine): void
} {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const latency = new Histogram({
    name: 'streambridge_sink_latency_seconds',
    help: 'Time of one sink request.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  })
  const observe = (engine: Engine): void => {
    const set = (name: Name, values: () => Iterable<readonly [Readonly<Record<string, string>>, number]>): void => {
      const { type, help, labels } = metricTable[name]
      const options = { name, help, labelNames: [...labels], registers: [registry] }
      if (type === 'counter') {
        const counter = new Counter({
          ...options,
          collect: () => {
            counter.reset()
            for (const [label, value] of values()) counter.inc(label, value)
          },
        })
        return
      }
      const gauge = new Gauge({
        ...options,
        collect: () => {
          gauge.reset()
          for (const [label, value] of values()) gauge.set(label, value)
        },
      })
    }
    const one = (name: Name, value: () => number | undefined): void =>
      set(name, () => {
        const now = value()
        return now === undefined ? [] : [[{}, now]]
      })
    const { statistics } = engine
    one('streambridge_records_in_total', () => statistics.totals.in)
    one('streambridge_records_out_total', () => statistics.totals.out)
    one('streambridge_bytes_in_total', () => statistics.bytes.in)
    set('streambridge_dead_lettered_total', () =>
      [...statistics.deadLetters].map(([reason, count]) => [{ reason }, count] as const),
    )
    one('streambridge_retries_total', () => statistics.totals.retries)
    one('streambridge_repeats_total', () => statistics.totals.repeats)
    for (const [name, figure] of [
      ['streambridge_filtered_total', 'filtered'],
      ['streambridge_step_records_total', 'in'],
      ['streambridge_step_failed_total', 'failed'],
      ['streambridge_step_seconds_total', 'seconds'],
    ] as const)
      set(name, () => [...statistics.steps].map(([step, figures]) => [{ step }, figures[figure]] as const))
    one('streambridge_throttles_total', () => statistics.totals.throttles)
    for (const [name, unit] of [
      ['streambridge_lag_records', 'records'],
      ['streambridge_lag_seconds', 'seconds'],
    ] as const) {
      set(name, () =>
        engine.pumps.flatMap(({ reader }) => {
          const lag = reader.lag()
          const value = lag.kind === 'known' ? lag[unit] : undefined
          return value === undefined ? [] : [[{ partition: reader.partition }, value] as const]
        }),
      )
    }
    one('streambridge_inflight_bytes', () => engine.pumps.reduce((sum, pump) => sum + pump.inFlightBytes, 0))
    one('streambridge_inflight_records', () => engine.pumps.reduce((sum, pump) => sum + pump.inFlightRecords, 0))
    one('streambridge_assigned_partitions', () => engine.pumps.length)
    one('streambridge_halted_partitions', () => engine.pumps.filter((pump) => pump.halted !== undefined).length)
    set('streambridge_connection_up', () => [
      [{ side: 'source' }, engine.sourceConnected ? 1 : 0],
      [{ side: 'sink' }, engine.sinkConnected ? 1 : 0],
    ])
    one('streambridge_checkpoint_age_seconds', () =>
      statistics.lastCommitAt === undefined ? undefined : Math.max(0, (clock.now() - statistics.lastCommitAt) / 1000),
    )
  }
  return { registry, onWrite: (milliseconds) => latency.observe(milliseconds / 1000), observe }
}
