/**
 * The second part: records are made at a steady rate while the contender runs. The sink topic keeps the time at which its
 * broker took each record (LogAppendTime), so nothing but the contender works while it is measured.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { kafkaClient } from '../support/kafka.ts'
import type { TopicCounter } from './end-offsets.ts'
import { awaitRecords } from './growth.ts'
import { load } from './loading.ts'
import { type Contender, type LatencyFigures, type Route, type Settings, sinkTopic } from './pair.ts'
import { peakBytes } from './process-usage.ts'
import { readStamp } from './stamp.ts'

export interface LatencyTask {
  readonly contender: Contender
  readonly route: Route
  readonly counter: TopicCounter
  readonly settings: Settings
  readonly say: (text: string) => void
}

export async function measureLatency(
  task: LatencyTask,
): Promise<{ readonly latency: LatencyFigures; readonly peakBytes: number }> {
  const { contender, route, counter, say } = task
  const { rate, seconds, warmUp, valueBytes } = task.settings
  const topic = sinkTopic(contender, route.source)
  const { bootstrapServers, source } = route
  const running = await contender.start(route)
  try {
    const watched = { counter, topic, running }
    await load({ bootstrapServers, topic: source, valueBytes, records: 1 })
    await awaitRecords(watched, 1)
    say(`${contender.name}: ${rate} records/s for ${warmUp} + ${seconds} s`)
    const records = rate * (warmUp + seconds)
    await load({ bootstrapServers, topic: source, valueBytes, records, rate })
    await awaitRecords(watched, records + 1)
    await sleep(1_000)
    const peak = peakBytes(running.pid)
    const arrivals = await readArrivals(bootstrapServers, topic, await counter.count(topic))
    return { latency: latencyOf(arrivals, records, rate * warmUp), peakBytes: peak }
  } finally {
    await running.stop()
  }
}

export interface Arrival {
  /** Counts from 0. */
  readonly number: number
  /** Milliseconds since the epoch. */
  readonly madeAt: number
  readonly arrivedAt: number
}

/** Of `records` numbered records the first `ignored` are a warm-up. Number 0 came once more, before the others. */
export function latencyOf(arrivals: readonly Arrival[], records: number, ignored: number): LatencyFigures {
  const times = new Uint8Array(records)
  for (const { number } of arrivals) times[number] = (times[number] ?? 0) + 1
  const measured = arrivals.filter(({ number }) => number >= Math.max(1, ignored))
  const sorted = Float64Array.from(measured, ({ madeAt, arrivedAt }) => arrivedAt - madeAt).sort()
  const made = Float64Array.from(measured, ({ madeAt }) => madeAt).sort()
  const distinct = times.reduce((sum, count) => sum + Math.min(1, count), 0)
  return {
    rate: (made.length / (quantile(made, 1) - quantile(made, 0))) * 1_000,
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    max: quantile(sorted, 1),
    lost: records - distinct,
    duplicated: arrivals.length - 1 - distinct,
  }
}

/** The smallest value that is not less than this share of all. */
function quantile(sorted: Float64Array, share: number): number {
  const found = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]
  if (found === undefined) throw new Error('no record arrived after the warm-up')
  return found
}

/** Reads the whole sink topic with the independent client. */
async function readArrivals(bootstrapServers: string, topic: string, count: number): Promise<Arrival[]> {
  const consumer = kafkaClient(bootstrapServers).consumer({ groupId: `bench-${topic}` })
  const arrivals: Arrival[] = []
  await consumer.connect()
  try {
    await consumer.subscribe({ topic, fromBeginning: true })
    await new Promise<void>((resolve, reject) => {
      consumer.on('consumer.crash', ({ payload }) => reject(payload.error))
      void consumer
        .run({
          autoCommit: false,
          eachBatch: async ({ batch }) => {
            for (const { value, timestamp } of batch.messages) {
              if (value === null) throw new Error(`a record in "${topic}" has no value`)
              arrivals.push({ ...readStamp(value), arrivedAt: Number(timestamp) })
            }
            if (arrivals.length >= count) resolve()
          },
        })
        .catch(reject)
    })
  } finally {
    await consumer.disconnect()
  }
  return arrivals
}
