import type { RuntimeReport } from '../crds/schema/report.ts'
import { totalLag } from '../operator/streambridge/observe/reports.ts'

const number = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

/** Lag over partitions: records add up, seconds are those of the latest partition. */
function lagText(partitions: RuntimeReport['partitions']): string {
  if (partitions.length === 0) return 'unknown: no partition owned'
  const lag = totalLag(partitions)
  if ('unknown' in lag) return `unknown: ${lag.unknown}`
  const { records, seconds } = lag
  return [
    records === undefined ? [] : [`${number.format(records)} records`],
    seconds === undefined ? [] : [`${number.format(seconds)} s`],
  ]
    .flat()
    .join(', ')
}

/** What keeps records from moving, the gravest first. */
function trouble({ partitions, errors, source }: RuntimeReport): readonly string[] {
  const [halted] = partitions.flatMap((partition) => partition.halted ?? [])
  if (halted !== undefined) return [`STOPPED: ${halted.message}`]
  const [error] = errors
  if (error !== undefined) return [`${error.component} ${error.reason}: ${error.message}`]
  if (source.connected && source.partitions === 0) return ['NO PROGRESS: the source has no partition to read']
  const still = partitions.find((partition) => partition.still !== undefined)
  return still === undefined ? [] : [`NO PROGRESS: partition ${still.partition}: ${still.still?.message}`]
}

/** One line of live progress. */
export function progressLine(report: RuntimeReport): string {
  const { rates, totals, partitions } = report
  const parts = [
    `in ${number.format(rates.in)}/s`,
    `out ${number.format(rates.out)}/s`,
    `moved ${number.format(totals.out)}`,
    `lag ${lagText(partitions)}`,
    ...(totals.retries > 0 ? [`retries ${number.format(totals.retries)}`] : []),
    ...((totals.repeats ?? 0) > 0 ? [`came again ${number.format(totals.repeats ?? 0)}`] : []),
    ...(totals.deadLettered > 0 ? [`dead letters ${number.format(totals.deadLettered)}`] : []),
    ...trouble(report),
  ]
  return parts.join('  ')
}

/**
 * Shows progress: on a terminal one line that is written over, elsewhere a line every now and then. Goes to standard
 * error, so that records on standard output stay clean.
 */
export function showProgress(line: () => string, terminal: NodeJS.WriteStream): { stop(): void } {
  const interval = terminal.isTTY ? 500 : 5_000
  const draw = (): void => {
    if (terminal.isTTY) terminal.write(`\r\u001b[K${line().slice(0, terminal.columns - 1)}`)
    else terminal.write(`${line()}\n`)
  }
  const timer = setInterval(draw, interval)
  return {
    stop: () => {
      clearInterval(timer)
      if (terminal.isTTY) terminal.write('\n')
    },
  }
}
