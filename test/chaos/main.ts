/**
 * `npm run chaos [-- STOPS [SEED]]`: stops runtimes STOPS times (default 25) per row, killed and asked, in each direction between Kafka and
 * Kinesis, with one and with two replicas, and splits and merges shards under load; then, for each broker as the source, stops one of two
 * replicas 6 times, suspends one for three leases, and scales 1 → 4 → 1 every five seconds for two minutes. Prints a table; exit code 1 when
 * a row breaks its promise.
 */
import { sharedKinesis } from '../support/shared-servers.ts'
import { assertWhole, tallyLine } from '../support/tally.ts'
import { exploded } from '../support/way.ts'
import { brokers, openEnd } from '../support/ends/brokers.ts'
import { type Direction, direction, kafkaToKinesis, kinesisOf, kinesisToKafka } from './direction.ts'
import { type Disturb, replicasTo, scaleStorm, suspendOne, unfair } from './replicas.ts'
import { splitAndMerge } from './resharding.ts'
import { type StopsOptions, type StopsResult, stopUnderLoad } from './stops.ts'

const stops = Number(process.argv[2] ?? 25)
const seed = Number(process.argv[3] ?? 1)

interface Row extends Pick<StopsOptions, 'signal' | 'stops' | 'replicas' | 'way'> {
  readonly open: () => Promise<Direction>
  readonly reshard?: boolean
}

const half = Math.ceil(stops / 2)
const rows: readonly Row[] = [kafkaToKinesis, kinesisToKafka].flatMap((open) =>
  (['SIGKILL', 'SIGTERM'] as const).flatMap((signal) => [
    { open, signal, stops: half },
    { open, signal, stops: stops - half, replicas: 2 },
    { open, signal, stops: half, way: exploded },
  ]),
)
const resharding: readonly Row[] = [
  { open: () => kinesisToKafka(2), signal: 'SIGTERM', stops: 2, reshard: true },
  { open: () => kinesisToKafka(2), signal: 'SIGKILL', stops: 2, reshard: true },
  { open: () => kafkaToKinesis(2), signal: 'SIGTERM', stops: 2, reshard: true },
]

async function runRow({ open, reshard, ...options }: Row): Promise<StopsResult> {
  const { endpoint } = await sharedKinesis()
  await using pair = await open()
  const meanwhile = reshard === true ? { meanwhile: () => splitAndMerge(endpoint, kinesisOf(pair)) } : {}
  const result = await stopUnderLoad({ direction: pair, seed, ...options, ...meanwhile })
  return reshard === true ? { ...result, name: `${result.name}, split and merge` } : result
}

let broken = 0

/** Prints a row, and what it breaks. */
function judge(name: string, result: Pick<StopsResult, 'tally' | 'seconds'>, bound: number, wrong?: string): void {
  const allowed = Number.isFinite(bound) ? bound : undefined
  console.log(`${name.padEnd(62)} ${tallyLine(result.tally, allowed)} (${result.seconds.toFixed(0)} s)`)
  try {
    assertWhole(result.tally, bound)
    if (wrong !== undefined) throw new Error(wrong)
  } catch (error) {
    broken++
    console.log(`  BROKEN: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const badExits = ({ exits }: StopsResult): string | undefined =>
  exits.every((exit) => exit === 0) ? undefined : `a runtime ended with ${exits.join(', ')}`

for (const row of [...rows, ...resharding]) {
  const result = await runRow(row)
  judge(result.name, result, result.bound, row.signal === 'SIGTERM' ? badExits(result) : undefined)
}

const storm = 120_000

const disturbances: Readonly<Record<string, Disturb>> = {
  'one of two suspended for three leases': suspendOne,
  '1 → 4 → 1 replicas every 5 s': (options) => scaleStorm(options, storm),
}

for (const source of brokers) {
  const open = (): Promise<Direction> => direction(openEnd(source), openEnd(replicasTo(source)))
  const killed = await runRow({ open, signal: 'SIGKILL', stops: 6, replicas: 2 })
  judge(killed.name, killed, Number.POSITIVE_INFINITY)
  for (const [name, disturb] of Object.entries(disturbances)) {
    const begin = performance.now()
    await using pair = await open()
    const result = await disturb({ direction: pair, seed })
    const seconds = (performance.now() - begin) / 1000
    judge(`${pair.name}, ${name}`, { ...result, seconds }, Number.POSITIVE_INFINITY, unfair(result))
  }
}
console.log(broken === 0 ? 'every promise kept' : `${broken} rows broke a promise`)
process.exit(broken === 0 ? 0 : 1)
