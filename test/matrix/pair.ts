/** One pair of brokers: records of many sizes, a runtime killed and a runtime told to stop on the way. */
import { allArrived, startCollector } from '../chaos/collector.ts'
import type { Direction } from '../chaos/direction.ts'
import { startFleet } from '../chaos/fleet.ts'
import { duplicateBound, type Tally } from '../support/tally.ts'
import { testRun } from '../support/verifier.ts'
import type { Way } from '../support/way.ts'

export interface PairOptions {
  readonly direction: Direction
  readonly records: number
  readonly seed: number
  /** What happens on the way. Default: nothing. */
  readonly way?: Way
}

export interface PairResult {
  readonly tally: Tally
  /** Most duplicates the kill may cause. */
  readonly bound: number
  /** How the runtime that was told to stop ended. */
  readonly exit: number | NodeJS.Signals
  /** From the first runtime's start to the last record's arrival, the stops between included. */
  readonly seconds: number
}

/** Records per second at most: it makes what a kill may repeat a number, well below what has arrived by then. */
const rate = 2_000
/** Milliseconds between two commits, and that one commit may take on a busy machine. */
const commitInterval = 500
const commitTime = 1_000
/** Records of the 256 KiB in flight, and of the fetch that went beyond them. */
const inFlight = 1_000
const delivery = {
  commitInterval: `${commitInterval}ms`,
  drainTimeout: '60s',
  maxInFlightBytes: '256Ki',
  maxRecordsPerSecond: rate,
}

const keys = 64

/** Up to 4 KiB, one in a hundred up to 256 KiB. */
const bytes = (random: () => number): number => Math.floor(random() * (random() < 0.01 ? 256 * 1024 : 4096))

export async function runPair({ direction, records, seed, way }: PairOptions): Promise<PairResult> {
  const run = testRun({ run: direction.from.stream, keys, seed, bytes, marked: direction.headers, ...(way && { way }) })
  while (run.sent < records) await direction.from.send(run.take(Math.min(500, records - run.sent)))
  const collector = startCollector(direction, run)
  try {
    const begin = performance.now()
    await using fleet = await startFleet({ direction, replicas: 1, delivery, way })
    await allArrived(run, Math.floor(records / 3))
    await fleet.replace(0, 'SIGKILL')
    await allArrived(run, Math.floor((records * 2) / 3))
    const exit = await fleet.replace(0, 'SIGTERM')
    await allArrived(run)
    const seconds = (performance.now() - begin) / 1000
    await collector.settle()
    await fleet.stop()
    await collector.settle()
    const bound = duplicateBound({
      kills: 1,
      recordsPerSecond: rate,
      commitInterval: commitInterval + commitTime,
      inFlight,
    })
    return { tally: run.tally(), bound, exit, seconds }
  } finally {
    await collector.stop()
  }
}
