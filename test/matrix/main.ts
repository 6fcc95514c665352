/**
 * `npm run matrix [-- RECORDS [SEED [FROM [TO]]]]`: moves RECORDS (default 20,000) through each of the 16 pairs of brokers, or those
 * from FROM to TO (`kafka`, `kinesis`, `pubsub`, `eventHubs`, `all`), with a SIGKILL and a SIGTERM of the runtime on the way. Prints a table; exit
 * code 1 when a row breaks its promise.
 */
import { direction } from '../chaos/direction.ts'
import { assertWhole } from '../support/tally.ts'
import { type Broker, brokers, openEnd } from '../support/ends/brokers.ts'
import { type PairResult, runPair } from './pair.ts'

const [recordsText = '20000', seedText = '1', fromText = 'all', toText = 'all'] = process.argv.slice(2)
const records = Number(recordsText)
const seed = Number(seedText)

function chosen(text: string): readonly Broker[] {
  if (text === 'all') return brokers
  const found = brokers.find((name) => name === text)
  if (found === undefined) throw new Error(`no broker "${text}"; brokers: ${brokers.join(', ')}, all`)
  return [found]
}

const columns = [24, 8, 6, 22, 10, 8, 10] as const
const line = (cells: readonly (string | number)[]): string =>
  cells
    .map((cell, at) => (at === 0 ? String(cell).padEnd(columns[0]) : String(cell).padStart(columns[at] ?? 8)))
    .join(' ')

const row = (name: string, { tally, bound, seconds }: PairResult): string =>
  line([
    name,
    tally.received,
    tally.lost,
    `${tally.duplicated} (bound ${bound})`,
    tally.reordered,
    tally.corrupt,
    Math.round(tally.received / seconds),
  ])

function check({ tally, bound, exit }: PairResult): void {
  assertWhole(tally, bound)
  if (exit !== 0) throw new Error(`the runtime that was told to stop ended with ${exit}`)
}

console.log(line(['pair', 'moved', 'lost', 'duplicated', 'reordered', 'corrupt', 'records/s']))
let broken = 0
for (const from of chosen(fromText))
  for (const to of chosen(toText)) {
    try {
      await using pair = await direction(openEnd(from), openEnd(to))
      const result = await runPair({ direction: pair, records, seed })
      console.log(row(pair.name, result))
      check(result)
    } catch (error) {
      broken++
      console.log(`  BROKEN ${from} → ${to}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
console.log(broken === 0 ? 'every promise kept' : `${broken} pairs broke a promise`)
process.exit(broken === 0 ? 0 : 1)
