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

/** Milliseconds without a new record after which it is taken for stuck: a limit for a broken bridge, not a promise about speed. */
const stuck = 120_000

/** Waits until so many records have arrived, by default all that were sent. Rejects when none comes any more. */
export async function allArrived(run: TestRun, count = run.sent): Promise<void> {
  for (let before = -1; run.received < count; ) {
    before = run.received
    await eventually(`another of ${count} records; ${before} have arrived`, () => run.received > before, undefined, {
      within: stuck,
    })
  }
}
