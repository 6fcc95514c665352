/** Looks at what arrives, while it arrives. */
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../support/eventually.ts'
import type { TestRun } from '../support/verifier.ts'
import type { Direction } from './direction.ts'

export interface Collector {
  /** Waits until nothing new has arrived for a second. */
  settle(): Promise<void>
  /** Rejects with what broke it. */
  stop(): Promise<void>
}

export function startCollector(direction: Direction, run: TestRun): Collector {
  const stopped = new AbortController()
  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await direction.to.collect(run)
      await sleep(100)
    }
  }
  const running = loop()
  running.catch(() => undefined)
  return {
    async settle() {
      const arrivals = (): number => run.received + run.tally().duplicated
      for (let before = -1; before !== arrivals(); ) {
        before = arrivals()
        await sleep(1_000)
      }
    },
    async stop() {
      stopped.abort()
      await running
    },
  }
}

/** Waits until so many records have arrived, by default all that were sent. Rejects after three minutes. */
export async function allArrived(run: TestRun, count = run.sent): Promise<void> {
  await eventually(
    `${count} of ${run.sent} records`,
    () => run.received,
    (received) => received >= count,
    { within: 180_000, every: 50 },
  )
}
