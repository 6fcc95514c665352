/**
 * `npm run chaos [-- STOPS [SEED]]`: stops runtimes STOPS times (default 25) per row, killed and asked, in each direction, with one and
 * with two replicas, and splits and merges shards under load. Prints a table; exit code 1 when a row breaks its promise.
 */
import { sharedKinesis } from '../support/shared-servers.ts'
import { assertWhole, tallyLine } from '../support/tally.ts'
import { type Direction, kafkaToKinesis, kinesisOf, kinesisToKafka } from './direction.ts'
import { splitAndMerge } from './resharding.ts'
import { type StopsOptions, type StopsResult, stopUnderLoad } from './stops.ts'

const stops = Number(process.argv[2] ?? 25)
const seed = Number(process.argv[3] ?? 1)

interface Row extends Pick<StopsOptions, 'signal' | 'stops' | 'replicas'> {
  readonly open: () => Promise<Direction>
  readonly reshard?: boolean
}

const half = Math.ceil(stops / 2)
const rows: readonly Row[] = [kafkaToKinesis, kinesisToKafka].flatMap((open) =>
  (['SIGKILL', 'SIGTERM'] as const).flatMap((signal) => [
    { open, signal, stops: half },
    { open, signal, stops: stops - half, replicas: 2 },
  ]),
)
const resharding: readonly Row[] = [
  { open: () => kinesisToKafka(2), signal: 'SIGTERM', stops: 2, reshard: true },
  { open: () => kinesisToKafka(2), signal: 'SIGKILL', stops: 2, reshard: true },
  { open: () => kafkaToKinesis(2), signal: 'SIGTERM', stops: 2, reshard: true },
]

async function runRow({ open, reshard, ...options }: Row): Promise<StopsResult> {
  const { endpoint } = await sharedKinesis()
  await using direction = await open()
  const meanwhile = reshard === true ? { meanwhile: () => splitAndMerge(endpoint, kinesisOf(direction)) } : {}
  const result = await stopUnderLoad({ direction, seed, ...options, ...meanwhile })
  return reshard === true ? { ...result, name: `${result.name}, split and merge` } : result
}

let broken = 0
for (const row of [...rows, ...resharding]) {
  const result = await runRow(row)
  console.log(`${result.name.padEnd(62)} ${tallyLine(result.tally, result.bound)} (${result.seconds.toFixed(0)} s)`)
  try {
    assertWhole(result.tally, result.bound)
    if (row.signal === 'SIGTERM' && result.exits.some((exit) => exit !== 0))
      throw new Error(`a runtime ended with ${result.exits.join(', ')}`)
  } catch (error) {
    broken++
    console.log(`  BROKEN: ${error instanceof Error ? error.message : String(error)}`)
  }
}
console.log(broken === 0 ? 'every promise kept' : `${broken} rows broke a promise`)
process.exit(broken === 0 ? 0 : 1)
