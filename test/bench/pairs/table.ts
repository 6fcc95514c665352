/** The rows of the table, and which of them fall short. */
import type { Measured } from './measure.ts'

export interface Row {
  readonly pair: string
  /** One of each per round. */
  readonly ours: readonly Measured[]
  readonly naive: readonly Measured[]
}

type Figure = 'recordsPerSecond' | 'recordsPerCpuSecond'

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  return (low + high) / 2
}

const figure = (measured: readonly Measured[], name: Figure): number => median(measured.map((each) => each[name]))

const ratio = ({ ours, naive }: Row, name: Figure): number => figure(ours, name) / figure(naive, name)

const sum = (measured: readonly Measured[], what: 'lost' | 'duplicated' | 'reordered' | 'corrupt'): number =>
  measured.reduce((total, { tally }) => total + tally[what], 0)

/** Largest of the rounds. */
const peak = (measured: readonly Measured[]): number => Math.max(...measured.map((each) => each.peakMegabytes))

const widths = [24, 10, 10, 7, 12, 12, 7, 12, 12, 12] as const
const cells = (texts: readonly string[]): string =>
  texts.map((text, at) => (at === 0 ? text.padEnd(widths[0]) : text.padStart(widths[at] ?? 8))).join('')
const whole = (value: number): string => Math.round(value).toLocaleString('en')

export const head: string = [
  cells(['', 'records/s', '', '', 'per CPU-s', '', '', 'peak MB', 'lost', 'duplicated']),
  cells(['', 'ours', 'naive', 'ratio', 'ours', 'naive', 'ratio', 'ours/naive', 'ours/naive', 'ours/naive']),
].join('\n')

export function line(row: Row): string {
  const pairOf = (name: Figure): string[] => [
    whole(figure(row.ours, name)),
    whole(figure(row.naive, name)),
    ratio(row, name).toFixed(2),
  ]
  const both = (what: 'lost' | 'duplicated'): string => `${sum(row.ours, what)}/${sum(row.naive, what)}`
  return cells([
    row.pair,
    ...pairOf('recordsPerSecond'),
    ...pairOf('recordsPerCpuSecond'),
    `${whole(peak(row.ours))}/${whole(peak(row.naive))}`,
    both('lost'),
    both('duplicated'),
  ])
}

/** Broken promises of ours: what makes a row say nothing. */
export function broken({ pair, ours }: Row): string[] {
  return (['lost', 'reordered', 'corrupt'] as const)
    .filter((what) => sum(ours, what) > 0)
    .map((what) => `${pair}: ${sum(ours, what)} records ${what}`)
}

/** Where the naive loop is faster, or needs less processor time. */
export function below(row: Row): string[] {
  const words: Record<Figure, string> = { recordsPerSecond: 'records/s', recordsPerCpuSecond: 'records per CPU-second' }
  return (['recordsPerSecond', 'recordsPerCpuSecond'] as const)
    .filter((name) => ratio(row, name) < 1)
    .map((name) => `${row.pair}: ${ratio(row, name).toFixed(2)} times the ${words[name]} of the naive loop`)
}
