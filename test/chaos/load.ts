/** Records that keep coming. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestRun } from '../support/verifier.ts'
import type { Direction } from './direction.ts'

export interface Load {
  stop(): Promise<void>
}

/** Sends at a steady rate, as long as not too much waits, until it is stopped. */
export function startLoad(direction: Direction, run: TestRun, rate: number): Load {
  const stopped = new AbortController()
  const loop = async (): Promise<void> => {
    let sentAt = performance.now()
    while (!stopped.signal.aborted) {
      const now = performance.now()
      const due = Math.floor(((now - sentAt) * rate) / 1000)
      const room = 2 * rate - (run.sent - run.received)
      sentAt = now
      if (due > 0 && room > 0) await direction.from.send(run.take(Math.min(due, room)))
      await sleep(50)
    }
  }
  const running = loop()
  running.catch(() => undefined)
  return {
    async stop() {
      stopped.abort()
      await running
    },
  }
}
