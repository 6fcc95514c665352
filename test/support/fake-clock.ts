import type { Clock } from '../../bridge-runtime/core/clock.ts'

export interface FakeClock extends Clock {
  /**
   * Moves both clocks forward, waking sleepers in the order of their time. Between two wakings everything that follows
   * from promises alone runs to its end, so the same program takes the same steps each time.
   */
  advance(milliseconds: number): Promise<void>
  /** Sets the wall clock off by so much; durations do not notice. */
  skew(milliseconds: number): void
  /** Both clocks jump without waking anybody in between, as after SIGSTOP; then the overdue wake. */
  freeze(milliseconds: number): Promise<void>
  /** How many sleep. */
  readonly sleeping: number
}

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

/** A clock that moves only when told. It begins at 2026-01-01 and at monotonic 0. */
export function fakeClock(): FakeClock {
  let time = 0
  let wall = Date.UTC(2026, 0, 1)
  let sleepers: Sleeper[] = []
  const forward = (to: number): void => {
    wall += to - time
    time = to
  }
  const wakeNext = async (until: number): Promise<boolean> => {
    await settled()
    const due = sleepers.filter(({ at }) => at <= until)
    if (due.length === 0) return false
    const next = due.reduce((first, sleeper) => (sleeper.at < first.at ? sleeper : first))
    sleepers = sleepers.filter((sleeper) => sleeper !== next)
    forward(Math.max(time, next.at))
    next.wake()
    return true
  }
  return {
    now: () => wall,
    monotonic: () => time,
    sleep: (milliseconds, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) return resolve()
        const wake = (): void => {
          signal?.removeEventListener('abort', cancel)
          resolve()
        }
        const sleeper = { at: time + Math.max(0, milliseconds), wake }
        const cancel = (): void => {
          sleepers = sleepers.filter((other) => other !== sleeper)
          resolve()
        }
        signal?.addEventListener('abort', cancel, { once: true })
        sleepers.push(sleeper)
      }),
    async advance(milliseconds) {
      const until = time + milliseconds
      while (await wakeNext(until));
      forward(until)
      await settled()
    },
    skew(milliseconds) {
      wall += milliseconds
    },
    async freeze(milliseconds) {
      forward(time + milliseconds)
      while (await wakeNext(time));
    },
    get sleeping() {
      return sleepers.length
    },
  }
}

/** Resolves when no promise reaction is left to run. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
