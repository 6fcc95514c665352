/** Stops runtimes at seeded random times while records flow, and counts what became of the records. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../support/eventually.ts'
import { type RuntimeProcess, startRuntime } from '../support/runtime-process.ts'
import { temporaryDirectory } from '../support/server-process.ts'
import { duplicateBound, type Tally } from '../support/tally.ts'
import { randomNumbers, type TestRun, testRun } from '../support/verifier.ts'
import type { Direction } from './direction.ts'

export interface StopsOptions {
  readonly direction: Direction
  readonly signal: 'SIGKILL' | 'SIGTERM'
  readonly stops: number
  readonly seed: number
  /** Replicas alive at a time; with two, the one that is not stopped takes over. Default 1. */
  readonly replicas?: number
  /** Most records per second, and half of those that may wait: a slow machine is asked for less. Default 1,000. */
  readonly rate?: number
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

export async function stopUnderLoad(options: StopsOptions): Promise<StopsResult> {
  const { direction, signal, stops, seed, replicas = 1, rate = 1_000 } = options
  const begin = performance.now()
  const random = randomNumbers(seed)
  const run = testRun({ run: `${direction.stream}-${seed}`, keys: 512, seed })
  const load = startLoad(direction, run, rate)
  const collector = startCollector(direction, run)
  const fleet = await startFleet(direction, replicas)
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
    await eventually(
      `all ${run.sent} records`,
      () => run.received,
      (received) => received >= run.sent,
      { within: 180_000 },
    )
    await collector.settle()
    for (const runtime of fleet.runtimes) exits.add(await runtime.stop())
    await collector.settle()
  } finally {
    await load.stop()
    await collector.stop()
    await Promise.all(fleet.runtimes.map((runtime) => runtime.kill()))
  }
  // In flight are 256 KiB, 1,300 records, and what one fetch brings beyond: the load lets twice the rate wait, no more.
  const window = { recordsPerSecond: rate, commitInterval: commitInterval + commitTime, inFlight: 2 * rate }
  const bound = signal === 'SIGTERM' ? 0 : duplicateBound({ kills: stops, ...window })
  const seconds = (performance.now() - begin) / 1000
  const name = `${direction.name}, ${stops} ${signal}${replicas > 1 ? `, ${replicas} replicas` : ''}`
  return { name, tally: run.tally(), bound, exits: [...exits], seconds }
}

interface Fleet {
  readonly runtimes: readonly RuntimeProcess[]
  /** Stops one and starts the next in its place. Resolves with how it ended. */
  replace(at: number, signal: 'SIGKILL' | 'SIGTERM'): Promise<number | NodeJS.Signals>
}

async function startFleet(direction: Direction, replicas: number): Promise<Fleet> {
  const leases = join(temporaryDirectory('leases'), 'leases')
  let started = 0
  const start = (): Promise<RuntimeProcess> =>
    startRuntime({
      bridge: {
        name: direction.stream,
        source: direction.source,
        sink: direction.sink,
        // Little in flight: a drain ends in time also on a slow machine, and a kill repeats no more than this.
        delivery: { commitInterval: `${commitInterval}ms`, drainTimeout: '60s', maxInFlightBytes: '256Ki' },
      },
      secrets: direction.secrets,
      leases,
      replica: `replica-${started++}`,
    })
  const runtimes = await Promise.all(Array.from({ length: replicas }, start))
  return {
    runtimes,
    async replace(at, signal) {
      const runtime = runtimes[at]
      if (runtime === undefined) throw new RangeError(`no replica ${at}`)
      runtime.signal(signal)
      const exit = await runtime.exited()
      runtimes[at] = await start()
      return exit
    },
  }
}

interface Background {
  stop(): Promise<void>
}

/** Sends at a steady rate, as long as not too much waits, until it is stopped. */
function startLoad(direction: Direction, run: TestRun, rate: number): Background {
  const stopped = new AbortController()
  const loop = async (): Promise<void> => {
    let sentAt = performance.now()
    while (!stopped.signal.aborted) {
      const now = performance.now()
      const due = Math.floor(((now - sentAt) * rate) / 1000)
      const room = 2 * rate - (run.sent - run.received)
      sentAt = now
      if (due > 0 && room > 0) await direction.send(run.take(Math.min(due, room)))
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

interface Collector extends Background {
  /** Waits until nothing new has arrived for a second. */
  settle(): Promise<void>
}

function startCollector(direction: Direction, run: TestRun): Collector {
  const stopped = new AbortController()
  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await direction.collect(run)
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
