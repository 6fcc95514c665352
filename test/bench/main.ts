/** `npm run bench -- PAIR`: see `help`. */
import { writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { losses, shortfalls } from './bar.ts'
import { kafkaToKafka } from './kafka-to-kafka.ts'
import type { Pair, Settings } from './pair.ts'
import { runPairs } from './pairs/main.ts'
import { benchRecords } from './records/main.ts'
import { table } from './report.ts'

const pairs: readonly Pair[] = [kafkaToKafka]

const help = `Usage: npm run bench -- PAIR [OPTIONS]

Compares StreamBridge with a peer on the same servers in the same run. Needs Linux, Java 17 and Maven.

${pairs.map(({ name, summary }) => `  ${name.padEnd(20)} ${summary}`).join('\n')}
  pairs                every pair of brokers compared with a naive loop; see "pairs --help"
  records              records per CPU-second of steps; see "records --help"

  --records N          records of 1 KiB to copy (default 1000000)
  --json FILE          writes the figures to a file, too
  --no-bar             exit code 0 also below the bar: 3 times the peer's records/s, at most 250 MB of memory
  --help

Exit code 1 when records are lost or the bar is missed, 2 for a wrong command line.`

function commandLine() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      records: { type: 'string', default: '1000000' },
      json: { type: 'string' },
      'no-bar': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(help)
    process.exit(0)
  }
  const pair = pairs.find(({ name }) => name === positionals[0])
  const records = Number(values.records)
  if (pair === undefined || positionals.length > 1)
    throw new Error(`name one pair: ${pairs.map(({ name }) => name).join(', ')}`)
  if (!Number.isSafeInteger(records) || records < 10_000) throw new Error('--records takes a number from 10000')
  return { pair, records, json: values.json, bar: !values['no-bar'] }
}

function parsed(): ReturnType<typeof commandLine> {
  try {
    return commandLine()
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exit(2)
  }
}

async function machine(pair: Pair): Promise<string> {
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  const processor = `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown'}`
  const load = `load ${loadavg()[0]?.toFixed(1)} at the start`
  return [processor, memory, `Node ${process.versions.node}`, ...(await pair.versions()), load].join(', ')
}

// An exit runs the handlers that end the servers and remove their data; a signal alone would not.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
if (process.argv[2] === 'pairs') process.exit(await runPairs(process.argv.slice(3)))
if (process.argv[2] === 'records') process.exit(await benchRecords(process.argv.slice(3)))
const { pair, records, json, bar } = parsed()

const settings: Settings = { records, partitions: 4, valueBytes: 1024, rate: 10_000, seconds: 20, warmUp: 10 }
const began = performance.now()
const say = (text: string): void =>
  console.error(`bench: ${((performance.now() - began) / 1000).toFixed(0).padStart(4)} s  ${text}`)

const on = await machine(pair)
const comparison = await pair.run(settings, say)
console.log(
  `${pair.name}: ${records} records of 1 KiB, ${settings.partitions} partitions; latency at ${settings.rate}/s`,
)
console.log(on)
console.log(table(comparison))
if (json !== undefined) writeFileSync(json, `${JSON.stringify({ machine: on, settings, ...comparison }, null, 2)}\n`)

const wrong = [...losses(comparison.ours), ...losses(comparison.peer)]
const short = shortfalls(comparison)
for (const reason of wrong) console.log(`WRONG: ${reason}`)
for (const reason of short) console.log(`below the bar: ${reason}`)
process.exit(wrong.length > 0 || (bar && short.length > 0) ? 1 : 0)
