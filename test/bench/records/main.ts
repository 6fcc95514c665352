/** `npm run bench -- records`: records per CPU-second of steps, inside the stage that the engine runs. */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { realClock } from '../../../bridge-runtime/core/clock.ts'
import type { Stage } from '../../../bridge-runtime/core/contracts.ts'
import { silentLogger } from '../../../bridge-runtime/observability/logger.ts'
import { stagesOpener } from '../../../bridge-runtime/pipeline/compile.ts'
import { type Row, rows } from './rows.ts'

export const recordsHelp = `Usage: npm run bench -- records [OPTIONS]

Prints records per CPU-second of each kind of step, in one process, in turns; medians of the rounds. No server is needed.

  --rounds N           rounds, whose medians are shown (default 3)
  --seconds N          CPU-seconds of each row in a round (default 2)
  --only TEXT          rows whose name contains it
  --json FILE          writes the figures to a file, too
  --no-bar             exit code 0 also where a row misses its goal

Exit code 1 when a row misses its goal or a record fails.`

/** Records that the engine gives a stage at once. */
const chunk = 256

/** @returns records per CPU-second */
async function measure(row: Row, seconds: number): Promise<number> {
  const context = {
    clock: realClock,
    log: silentLogger,
    secret: () => Promise.reject(new TypeError('no Secrets here')),
  }
  const [stage] = stagesOpener(row.way, context)({ partition: 'orders/0', stream: 'orders', target: 'out' })
  if (stage === undefined) throw new TypeError(`${row.name} has no step`)
  const chunks = Array.from({ length: 16 }, (_, at) =>
    Array.from({ length: chunk }, (__, number) => row.record(at * chunk + number)),
  )
  await work(stage, chunks, seconds / 4)
  return work(stage, chunks, seconds)
}

async function work(
  stage: Stage,
  chunks: readonly (readonly ReturnType<Row['record']>[])[],
  seconds: number,
): Promise<number> {
  const begin = process.cpuUsage()
  const spent = (): number => {
    const { user, system } = process.cpuUsage(begin)
    return (user + system) / 1_000_000
  }
  let moved = 0
  for (let at = 0; spent() < seconds; at += 1) {
    const records = chunks[at % chunks.length] ?? []
    await stage.prepare?.(records, new AbortController().signal)
    const { records: made } = stage.apply(records)
    const failed = made.find(({ poison }) => poison !== undefined)
    if (failed !== undefined) throw new Error(failed.poison?.message)
    moved += records.length
  }
  return moved / spent()
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

export async function benchRecords(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '2' },
      only: { type: 'string', default: '' },
      json: { type: 'string' },
      'no-bar': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(recordsHelp)
    return 0
  }
  const chosen = rows.filter(({ name }) => name.includes(values.only))
  const figures = new Map<string, number[]>()
  for (let round = 0; round < Number(values.rounds); round += 1)
    for (const row of chosen)
      figures.set(row.name, [...(figures.get(row.name) ?? []), await measure(row, Number(values.seconds))])
  const results = chosen.map(({ name, goal }) => ({
    name,
    goal,
    recordsPerCpuSecond: Math.round(median(figures.get(name) ?? [])),
  }))
  console.log(`${'step'.padEnd(40)} ${'records/CPU-s'.padStart(14)} ${'goal'.padStart(12)}`)
  for (const { name, goal, recordsPerCpuSecond } of results)
    console.log(
      `${name.padEnd(40)} ${recordsPerCpuSecond.toLocaleString('en').padStart(14)} ${goal.toLocaleString('en').padStart(12)}${recordsPerCpuSecond < goal ? '  missed' : ''}`,
    )
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, undefined, 2)}\n`)
  return !values['no-bar'] && results.some(({ goal, recordsPerCpuSecond }) => recordsPerCpuSecond < goal) ? 1 : 0
}
