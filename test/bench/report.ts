/** The table that a comparison ends with. */
import type { Comparison, Figures } from './pair.ts'

interface Row {
  readonly label: string
  readonly value: (figures: Figures) => number
  readonly digits: number
}

const rows: readonly Row[] = [
  { label: 'records/s', value: ({ copy }) => copy.recordsPerSecond, digits: 0 },
  { label: 'records per CPU-second', value: ({ copy }) => copy.recordsPerCpuSecond, digits: 0 },
  { label: 'peak memory, MB', value: ({ peakBytes }) => peakBytes / 1e6, digits: 0 },
  { label: 'steady records/s', value: ({ latency }) => latency.rate, digits: 0 },
  { label: 'latency p50, ms', value: ({ latency }) => latency.p50, digits: 0 },
  { label: 'latency p99, ms', value: ({ latency }) => latency.p99, digits: 0 },
  { label: 'latency max, ms', value: ({ latency }) => latency.max, digits: 0 },
  { label: 'start to first record, s', value: ({ copy }) => copy.startSeconds, digits: 1 },
  { label: 'CPU-seconds of the start', value: ({ copy }) => copy.startCpuSeconds, digits: 1 },
  { label: 'lost', value: ({ copy, latency }) => Math.max(0, -copy.surplus) + latency.lost, digits: 0 },
]

const format = (value: number, digits: number): string =>
  value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })

function line({ label, value, digits }: Row, { ours, peer }: Comparison): string {
  const [left, right] = [value(ours), value(peer)]
  const ratio = right === 0 ? '' : format(left / right, 2)
  return cells([label, format(left, digits), format(right, digits), ratio])
}

const cells = ([label = '', ...values]: readonly string[]): string =>
  [label.padEnd(26), ...values.map((value) => value.padStart(15))].join('').trimEnd()

/** A line per figure, with ours, the peer's, and ours divided by the peer's. */
export function table(comparison: Comparison): string {
  const head = cells(['', comparison.ours.contender, comparison.peer.contender, 'ratio'])
  return [head, ...rows.map((row) => line(row, comparison))].join('\n')
}
