import { setTimeout as sleep } from 'node:timers/promises'
import type { TopicCounter } from './end-offsets.ts'
import type { Running } from './pair.ts'

/** Milliseconds between two looks: about half a percent of the shortest copy worth measuring. */
const interval = 25
/** Milliseconds without a new record after which a contender is taken for stuck. */
const stuck = 90_000

export interface Watched {
  readonly counter: TopicCounter
  readonly topic: string
  readonly running: Running
  /** Told of each look, with the records that are there. */
  readonly seen?: (count: number) => void
}

/** Waits until the topic holds so many records. Rejects when the contender ends or nothing arrives any more. */
export async function awaitRecords({ counter, topic, running, seen }: Watched, wanted: number): Promise<number> {
  let most = 0
  let since = performance.now()
  for (;;) {
    const count = await counter.count(topic)
    seen?.(count)
    if (count >= wanted) return count
    const see = `; see ${running.logFile}`
    if (!running.running()) throw new Error(`it ended with ${count} of ${wanted} records in "${topic}"${see}`)
    if (count > most) {
      most = count
      since = performance.now()
    }
    if (performance.now() - since > stuck) throw new Error(`no new record in "${topic}" for ${stuck / 1000} s${see}`)
    await sleep(interval)
  }
}
