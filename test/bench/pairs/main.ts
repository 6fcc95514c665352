/** `npm run bench -- pairs [FROM [TO]]`: each pair of brokers beside a naive loop with the same SDKs. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { type Broker, brokers } from '../../support/ends/brokers.ts'
import { startKinesis } from '../../support/kinesis.ts'
import { kinesisVariable, pubsubVariable } from '../../support/shared-servers.ts'
import { kinesisFromMemory } from './kinesis-from-memory.ts'
import { type StartContender, startNaive, startOurs } from './contender.ts'
import { type Measured, measure } from './measure.ts'
import { type PubsubAsService, pubsubAsService } from './pubsub-as-service.ts'
import { below, broken, head, line, type Row } from './table.ts'

export const pairsHelp = `Usage: npm run bench -- pairs [FROM [TO]] [OPTIONS]

Moves records through each pair of brokers with StreamBridge and with a naive loop (test/bench/naive), in turns, on the same
servers. FROM and TO: ${brokers.join(', ')}, all.

  --records N          records of 1 KiB (default: what takes each pair some seconds)
  --keys N             different keys (default 64)
  --rounds N           rounds, whose medians are shown (default 3)
  --json FILE          writes the rounds to a file, too
  --profile FOLDER     writes a V8 profile of each process; it makes both slower

Exit code 1 when StreamBridge lost or reordered a record, or fell below the naive loop.`

/** Records by the slower end. */
const counts: Readonly<Record<Broker, number>> = {
  kafka: 300_000,
  eventHubs: 100_000,
  pubsub: 100_000,
  kinesis: 40_000,
}
const fromMemoryCount = 200_000
const warmUp = 10_000

/** kinesis-local would be the bound of both contenders. As a sink it is none: it takes requests while others are made. */
const isFromMemory = (from: Broker, to: Broker): boolean => from === 'kinesis' && to !== 'kinesis'

function options(args: readonly string[]) {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      records: { type: 'string' },
      keys: { type: 'string', default: '64' },
      rounds: { type: 'string', default: '3' },
      json: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const number = (name: string, text: string): number => {
    const value = Number(text)
    if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} takes a number from 1`)
    return value
  }
  const [from = 'all', to = 'all', ...rest] = positionals
  if (rest.length > 0) throw new Error(`name two brokers at most, not "${rest.join(' ')}" too`)
  return {
    help: values.help,
    from: chosen(from),
    to: chosen(to),
    records: values.records === undefined ? undefined : number('records', values.records),
    keys: number('keys', values.keys),
    rounds: number('rounds', values.rounds),
    json: values.json,
    profile: values.profile,
  }
}

function chosen(text: string): readonly Broker[] {
  if (text === 'all') return brokers
  const found = brokers.find((name) => name === text)
  if (found === undefined) throw new Error(`no broker "${text}"; brokers: ${brokers.join(', ')}, all`)
  return [found]
}

type Options = ReturnType<typeof options>

async function runRow(from: Broker, to: Broker, { records, keys, rounds, profile }: Options): Promise<Row> {
  const ours: Measured[] = []
  const naive: Measured[] = []
  const count = records ?? (isFromMemory(from, to) ? fromMemoryCount : Math.min(counts[from], counts[to]))
  const nodeArgs = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]
  const run = (start: StartContender, records: number, what: string): Promise<Measured> => {
    const say = (text: string): void => console.error(`bench: ${from} → ${to}, ${what}: ${text}`)
    return measure({ from, to, start, records, keys, nodeArgs, say })
  }
  // The servers are compiled while they work: whoever came first would pay for it.
  await run(startNaive, Math.min(count, warmUp), 'warm-up, not counted')
  for (let round = 1; round <= rounds; round += 1) {
    const turns = [
      async () => ours.push(await run(startOurs, count, `round ${round}, ours`)),
      async () => naive.push(await run(startNaive, count, `round ${round}, naive`)),
    ]
    for (const turn of round % 2 === 1 ? turns : turns.toReversed()) await turn()
  }
  return { pair: `${from} → ${to}`, ours, naive }
}

/** One for each pair: kinesis-local keeps every record, and with those of three pairs it was slower, and to different contenders differently. */
async function newKinesis(from: Broker, to: Broker): Promise<AsyncDisposable> {
  const server = isFromMemory(from, to) ? await kinesisFromMemory() : await startKinesis({ heap: 4096 })
  process.env[kinesisVariable] = server.endpoint
  return server
}

const load = (): string => `load ${loadavg()[0]?.toFixed(1)}`

async function runRows(
  given: Options,
  pubsub: PubsubAsService,
): Promise<{ readonly rows: readonly Row[]; readonly wrong: readonly string[] }> {
  const rows: Row[] = []
  const failures: string[] = []
  for (const from of given.from)
    for (const to of given.to)
      try {
        if ([from, to].includes('pubsub')) await pubsub.renew()
        await using _ = [from, to].includes('kinesis') ? await newKinesis(from, to) : undefined
        const row = await runRow(from, to, given)
        rows.push(row)
        console.log(`${line(row)}   ${load()}`)
      } catch (error) {
        failures.push(`${from} → ${to}: ${error instanceof Error ? error.message : String(error)}`)
        console.log(`${from} → ${to} failed`)
      }
  return { rows, wrong: [...failures, ...rows.flatMap(broken)] }
}

/** @returns the exit code. *Errors*: a wrong command line, and what stops the whole run. */
export async function runPairs(args: readonly string[]): Promise<number> {
  const given = options(args)
  if (given.help) {
    console.log(pairsHelp)
    return 0
  }
  if (given.profile !== undefined) mkdirSync(given.profile, { recursive: true })
  const pubsub = await pubsubAsService()
  process.env[pubsubVariable] = pubsub.address
  console.log(`records of 1 KiB, ${given.keys} keys, ${given.rounds} rounds in turns, median`)
  console.log(`${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown'}, Node ${process.versions.node}, ${load()}`)
  console.log(head)
  const { rows, wrong } = await runRows(given, pubsub)
  const short = rows.flatMap(below)
  for (const reason of wrong) console.log(`WRONG: ${reason}`)
  for (const reason of short) console.log(`below 1: ${reason}`)
  if (given.json !== undefined) writeFileSync(given.json, `${JSON.stringify(rows, null, 2)}\n`)
  return wrong.length + short.length > 0 ? 1 : 0
}
