/** Stops runtimes at seeded random times while records flow, and counts what became of the records. */
import { setTimeout as sleep } from 'node:timers/promises'
import { duplicateBound, type Tally } from '../support/tally.ts'
import { randomNumbers, testRun } from '../support/verifier.ts'
import { partsOf, type Way } from '../support/way.ts'
import { allArrived, startCollector } from './collector.ts'
import type { Direction } from './direction.ts'
import { startFleet } from './fleet.ts'
import { startLoad } from './load.ts'

export interface StopsOptions {
  readonly direction: Direction
  readonly signal: 'SIGKILL' | 'SIGTERM'
  readonly stops: number
  readonly seed: number
  /** Replicas alive at a time; with two, the one that is not stopped takes over. Default 1. */
  readonly replicas?: number
  /** Most records per second, and half of those that may wait: a slow machine is asked for less. Default 1,000. */
  readonly rate?: number
  /** What happens on the way. Default: nothing. */
  readonly way?: Way
  /** Done while records flow, e.g. splitting a shard. */
  readonly meanwhile?: () => Promise<void>
}

export interface StopsResult {
  readonly name: string
  readonly tally: Tally
  /** Most duplicates the stops may cause. */
  readonly bound: number
  /** Exit codes of the processes that were asked to stop, each once. */
  readonly exits: readonly (number | NodeJS.Signals)[]
  readonly seconds: number
}

/** Milliseconds between two commits of the runtimes. */
const commitInterval = 500
/** Milliseconds that one commit may take. */
const commitTime = 500
// Little in flight: a drain ends in time also on a slow machine, and a kill repeats no more than this.
const delivery = { commitInterval: `${commitInterval}ms`, drainTimeout: '60s', maxInFlightBytes: '256Ki' }

export async function stopUnderLoad(options: StopsOptions): Promise<StopsResult> {
  const { direction, signal, stops, seed, replicas = 1, rate = 1_000, way } = options
  const begin = performance.now()
  const random = randomNumbers(seed)
  const run = testRun({
    run: `${direction.from.stream}-${seed}`,
    keys: 512,
    seed,
    marked: direction.headers,
    ...(way && { way }),
  })
  const load = startLoad(direction, run, rate)
  const collector = startCollector(direction, run)
  await using fleet = await startFleet({ direction, replicas, delivery, way })
  const exits = new Set<number | NodeJS.Signals>()
  const meanwhile = options.meanwhile?.()
  try {
    for (let stop = 0; stop < stops; stop++) {
      await sleep(300 + random() * 1_200)
      const at = Math.floor(random() * replicas)
      exits.add(await fleet.replace(at, signal))
    }
    await meanwhile
    await load.stop()
    await allArrived(run)
    await collector.settle()
    for (const exit of await fleet.stop()) exits.add(exit)
    await collector.settle()
  } finally {
    await load.stop()
    await collector.stop()
  }
  // In flight are 256 KiB, 1,300 records, and what one fetch brings beyond: the load lets twice the rate wait, no more.
  const window = { recordsPerSecond: rate, commitInterval: commitInterval + commitTime, inFlight: 2 * rate }
  const bound = signal === 'SIGTERM' ? 0 : partsOf(way) * duplicateBound({ kills: stops, ...window })
  const seconds = (performance.now() - begin) / 1000
  const name = `${direction.name}, ${stops} ${signal}${replicas > 1 ? `, ${replicas} replicas` : ''}${way === undefined ? '' : `, ${way.name}`}`
  return { name, tally: run.tally(), bound, exits: [...exits], seconds }
}
