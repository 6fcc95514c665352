/**
 * `npm run matrix [-- RECORDS [SEED [FROM [TO]]]]`: moves RECORDS (default 20,000) through each of the 16 pairs of brokers, or those
 * from FROM to TO (`kafka`, `kinesis`, `pubsub`, `eventHubs`, `all`), with a SIGKILL and a SIGTERM of the runtime on the way. Prints a table; exit
 * code 1 when a row breaks its promise. Then again, a quarter as many, with steps on the way: a tenth is filtered out, the others are changed, and
 * every second row gives them other keys.
 */
import { direction } from '../chaos/direction.ts'
import { assertWhole } from '../support/tally.ts'
import { type Broker, brokers, openEnd } from '../support/ends/brokers.ts'
import { filtered, rekeyed, type Way } from '../support/way.ts'
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

let broken = 0

/** What ended first, and what went wrong while it was cleaned up. */
function wordsOf(error: unknown): string {
  if (error instanceof SuppressedError) return `${wordsOf(error.suppressed)}; then ${wordsOf(error.error)}`
  return error instanceof Error ? error.message : String(error)
}

async function table(
  title: string,
  options: { readonly records: number; readonly wayOf: (row: number) => Way | undefined },
) {
  console.log(line([title, 'moved', 'lost', 'duplicated', 'reordered', 'corrupt', 'records/s']))
  let number = 0
  for (const from of chosen(fromText))
    for (const to of chosen(toText)) {
      const way = options.wayOf(number++)
      try {
        await using pair = await direction(openEnd(from), openEnd(to))
        const result = await runPair({ direction: pair, records: options.records, seed, ...(way && { way }) })
        console.log(row(pair.name, result))
        check(result)
      } catch (error) {
        broken++
        console.log(`  BROKEN ${from} → ${to}: ${wordsOf(error)}`)
      }
    }
}

await table('pair', { records, wayOf: () => undefined })
await table('pair, with steps', {
  records: Math.ceil(records / 4),
  wayOf: (number) => (number % 2 === 0 ? rekeyed : filtered),
})
console.log(broken === 0 ? 'every promise kept' : `${broken} pairs broke a promise`)
process.exit(broken === 0 ? 0 : 1)
