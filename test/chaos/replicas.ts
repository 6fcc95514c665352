/** Replicas that share a source: one is suspended and wakes as a zombie, or their number changes all the time. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Broker } from '../support/ends/brokers.ts'
import type { Tally } from '../support/tally.ts'
import { testRun, type TestRun } from '../support/verifier.ts'
import { allArrived, startCollector } from './collector.ts'
import type { Direction } from './direction.ts'
import { type Fleet, startFleet } from './fleet.ts'
import { startLoad } from './load.ts'

export interface ReplicasOptions {
  readonly direction: Direction
  readonly seed: number
}

export interface ReplicasResult {
  readonly tally: Tally
  /** Longest time without a new arrival while records were sent, in milliseconds. */
  readonly longestPause: number
  /** Checkpoints that went back, in words. */
  readonly wentBack: readonly string[]
}

/** Milliseconds without a record that a change of owners may cost. */
const pauseLimit = 30_000

/** What was wrong with how replicas shared a source, in words; undefined: nothing. */
export function unfair({ wentBack, longestPause }: ReplicasResult): string | undefined {
  if (wentBack.length > 0) return `checkpoints went back: ${wentBack.join('; ')}`
  return longestPause < pauseLimit ? undefined : `no record for ${Math.round(longestPause / 1000)} s`
}

/** What is done to replicas under load. */
export type Disturb = (options: ReplicasOptions) => Promise<ReplicasResult>

/** The sink that shows what replicas of a source do: another one, a fast one. */
export const replicasTo = (source: Broker): Broker => (source === 'kafka' ? 'eventHubs' : 'kafka')

/** Records per second. */
const rate = 500
const delivery = { commitInterval: '500ms', drainTimeout: '60s', maxInFlightBytes: '256Ki' }

/** SIGSTOP for three lease lengths, then SIGCONT: what it held has been taken over meanwhile. */
export const suspendOne = (options: ReplicasOptions): Promise<ReplicasResult> =>
  underLoad(options, 2, async (fleet, run) => {
    const [zombie] = fleet.runtimes
    const { patience } = options.direction.from
    await allArrived(run, rate)
    zombie?.signal('SIGSTOP')
    await sleep(3 * patience)
    await allArrived(run)
    zombie?.signal('SIGCONT')
    await sleep(2_000)
  })

/** 1 → 4 → 1 every five seconds. @param duration in milliseconds */
export const scaleStorm = (options: ReplicasOptions, duration: number): Promise<ReplicasResult> =>
  underLoad(options, 1, async (fleet) => {
    const end = performance.now() + duration
    for (let wanted = 4; performance.now() < end; wanted = wanted === 4 ? 1 : 4) {
      const [exits] = await Promise.all([fleet.scale(wanted), sleep(5_000)])
      const bad = exits.find((exit) => exit !== 0)
      if (bad !== undefined) throw new Error(`a replica that was told to stop ended with ${bad}`)
    }
  })

async function underLoad(
  { direction, seed }: ReplicasOptions,
  replicas: number,
  disturb: (fleet: Fleet, run: TestRun) => Promise<void>,
): Promise<ReplicasResult> {
  const run = testRun({ run: direction.from.stream, keys: 64, seed, marked: direction.headers })
  const collector = startCollector(direction, run)
  await using fleet = await startFleet({ direction, replicas, delivery })
  const load = startLoad(direction, run, rate)
  const watch = startWatch(direction, fleet, run)
  try {
    await disturb(fleet, run)
    await load.stop()
    const longestPause = watch.longestPause()
    await allArrived(run)
    await collector.settle()
    await fleet.stop()
    await collector.settle()
    return { tally: run.tally(), longestPause, wentBack: await watch.stop() }
  } finally {
    await load.stop()
    await watch.stop()
    await collector.stop()
  }
}

interface Watch {
  /** Milliseconds. */
  longestPause(): number
  /** Resolves with the checkpoints that went back. */
  stop(): Promise<readonly string[]>
}

function startWatch({ from }: Direction, fleet: Fleet, run: TestRun): Watch {
  const stopped = new AbortController()
  const wentBack: string[] = []
  let longest = 0
  let last = { received: run.received, at: performance.now() }
  const before = new Map<string, bigint>()
  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      longest = Math.max(longest, performance.now() - last.at)
      if (run.received > last.received) last = { received: run.received, at: performance.now() }
      for (const [partition, position] of await from.checkpoints(fleet.leases)) {
        const known = before.get(partition) ?? position
        if (position < known) wentBack.push(`partition ${partition} from ${known} to ${position}`)
        before.set(partition, position)
      }
      await sleep(200)
    }
  }
  const running = loop()
  running.catch(() => undefined)
  return {
    longestPause: () => longest,
    async stop() {
      stopped.abort()
      await running
      return wentBack
    },
  }
}
