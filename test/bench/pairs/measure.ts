/** One contender, one pair: everything waits in a new source, and is copied to a new sink. */
import { setTimeout as sleep } from 'node:timers/promises'
import { direction } from '../../chaos/direction.ts'
import { type Broker, openEnd } from '../../support/ends/brokers.ts'
import type { End } from '../../support/ends/end.ts'
import type { Tally } from '../../support/tally.ts'
import { type TestRun, testRun } from '../../support/verifier.ts'
import { cpuSeconds, peakBytes } from '../process-usage.ts'
import type { Running, StartContender } from './contender.ts'

export interface Measuring {
  readonly from: Broker
  readonly to: Broker
  readonly start: StartContender
  readonly records: number
  readonly keys: number
  readonly nodeArgs?: readonly string[]
  readonly say: (text: string) => void
}

export interface Measured {
  readonly recordsPerSecond: number
  readonly recordsPerCpuSecond: number
  /** The most memory it ever held. */
  readonly peakMegabytes: number
  readonly tally: Tally
}

const valueBytes = 1024
/** Records of one step of the filling. Producers send those of a key together, so it is also how far the keys lie apart. */
const step = 2_000
/** Milliseconds between two looks: an answer of the runtime takes it about one. */
const interval = 100
/** Milliseconds without a new record after which a contender is taken for stuck. */
const stuck = 60_000
/** Milliseconds without a new record after which what is missing in the sink is taken for lost. */
const patience = 10_000

export async function measure({ from, to, start, records, keys, nodeArgs = [], say }: Measuring): Promise<Measured> {
  await using pair = await direction(openEnd(from), openEnd(to))
  const run = testRun({ run: pair.from.stream, keys, bytes: valueBytes, marked: pair.headers })
  while (run.sent < records) await pair.from.send(run.take(Math.min(step, records - run.sent)))
  say('filled')
  const running = await start({ from, to, direction: pair, nodeArgs })
  try {
    const first = await reached(running, 1)
    const last = await reached(running, records)
    const copied = last.count - first.count
    say(`${copied} in ${(last.at - first.at).toFixed(0)} ms`)
    await collected(pair.to, run)
    return {
      recordsPerSecond: (copied / (last.at - first.at)) * 1_000,
      recordsPerCpuSecond: copied / (last.cpu - first.cpu),
      peakMegabytes: peakBytes(running.pid) / 1e6,
      tally: run.tally(),
    }
  } finally {
    await running.stop()
  }
}

interface Look {
  readonly count: number
  readonly at: number
  readonly cpu: number
}

async function reached(running: Running, wanted: number): Promise<Look> {
  let most = 0
  let since = performance.now()
  for (;;) {
    if (!running.running()) throw new Error(`it ended with ${most} of ${wanted} records; see ${running.logFile}`)
    const count = await running.written()
    const at = performance.now()
    if (count >= wanted) return { count, at, cpu: cpuSeconds(running.pid) }
    if (count > most) since = at
    most = Math.max(most, count)
    if (at - since > stuck) throw new Error(`stuck at ${most} of ${wanted} records; see ${running.logFile}`)
    await sleep(interval)
  }
}

/** Neither contender is believed: what it says to have written is looked for in the sink. */
async function collected(to: End, run: TestRun): Promise<void> {
  let seen = 0
  for (let since = performance.now(); performance.now() - since < patience && run.received < run.sent; ) {
    await to.collect(run)
    if (run.received > seen) since = performance.now()
    seen = run.received
    await sleep(interval)
  }
}
