/** The first part: everything is in the source before the contender starts. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { TopicCounter } from './end-offsets.ts'
import { awaitRecords } from './growth.ts'
import { type Contender, type CopyFigures, type Route, sinkTopic } from './pair.ts'
import { cpuSeconds, peakBytes } from './process-usage.ts'

/** Milliseconds in which a duplicate would still arrive. */
const aftermath = 1_000

export interface CopyTask {
  readonly contender: Contender
  readonly route: Route
  readonly counter: TopicCounter
  readonly records: number
  readonly say: (text: string) => void
}

export async function measureCopy(task: CopyTask): Promise<{ readonly copy: CopyFigures; readonly peakBytes: number }> {
  const { contender, route, counter, records, say } = task
  const topic = sinkTopic(contender, route.source)
  const started = performance.now()
  const running = await contender.start(route)
  try {
    const look = (count: number) => ({ count, at: performance.now(), cpu: cpuSeconds(running.pid) })
    let said = started
    const seen = (count: number): void => {
      if (count === 0 || performance.now() - said < 1_000) return
      said = performance.now()
      say(`${contender.name}: ${count} of ${records} records`)
    }
    const watched = { counter, topic, running, seen }
    const first = look(await awaitRecords(watched, 1))
    const last = look(await awaitRecords(watched, records))
    await sleep(aftermath)
    const copied = last.count - first.count
    return {
      copy: {
        startSeconds: (first.at - started) / 1_000,
        startCpuSeconds: first.cpu,
        recordsPerSecond: (copied / (last.at - first.at)) * 1_000,
        recordsPerCpuSecond: copied / (last.cpu - first.cpu),
        surplus: (await counter.count(topic)) - records,
      },
      peakBytes: peakBytes(running.pid),
    }
  } finally {
    await running.stop()
  }
}
