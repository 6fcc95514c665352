/** Rows of CSV, as RFC 4180 has them. One record is one row. */
import { z } from 'zod'
import { textOf } from '../../crds/kit/rules.ts'
import { withoutLineEnd } from './line.ts'
import { mismatch } from './mismatch.ts'

export const delimiter = textOf({
  pattern: /^[\t -!#-~]$/,
  message: 'write one character: a comma, a semicolon, a tab',
  maxLength: 4,
}).meta({ description: 'What stands between two cells.' })

export const columns = z
  .array(z.string().min(1).max(64))
  .min(1)
  .max(128)
  .meta({ description: 'The names of the cells of a row, in their order.' })

/** A text, or null for a cell with nothing in it; `""` is an empty text. */
export type Cell = string | null

/** Throws `Unfit` where the text is not one row. */
export function scanRow(text: string, delimiter: string): Cell[] {
  const row = withoutLineEnd(text)
  return row.includes('"') ? quotedRow(row, delimiter) : plainRow(row, delimiter)
}

const cell = (text: string): Cell => (text === '' ? null : text)

function plainRow(row: string, delimiter: string): Cell[] {
  const other = row.search(/[\r\n]/)
  if (other !== -1) throw mismatch('the row', other, 'one row, not the next one')
  return row.split(delimiter).map(cell)
}

function quotedRow(row: string, delimiter: string): Cell[] {
  const cells: Cell[] = []
  let at = 0
  do {
    const end = row[at] === '"' ? quotedEnd(row, at) : plainEnd(row, at, delimiter)
    const text = row.slice(at, end)
    cells.push(text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : cell(text))
    if (end < row.length && row[end] !== delimiter) throw mismatch(`cell ${cells.length}`, end, 'its end')
    at = end + 1
  } while (at <= row.length)
  return cells
}

/** Behind the closing quote: the first one that is not doubled. */
function quotedEnd(row: string, from: number): number {
  let at = row.indexOf('"', from + 1)
  while (at !== -1 && row[at + 1] === '"') at = row.indexOf('"', at + 2)
  if (at === -1) throw mismatch('a quoted cell', row.length, 'a closing quote')
  return at + 1
}

function plainEnd(row: string, from: number, delimiter: string): number {
  const found = row.indexOf(delimiter, from)
  const end = found === -1 ? row.length : found
  const bad = row.slice(from, end).search(/["\r\n]/)
  if (bad !== -1) throw mismatch('a cell without quotes', from + bad, 'no quote and no line break')
  return end
}

/** What must be quoted to be read as it was: also blanks at the ends, which some readers cut off. */
const needsQuotes = /["\r\n]|^\s|\s$|^$/

export const writeRow = (cells: readonly Cell[], delimiter: string): string =>
  cells
    .map((text) => {
      if (text === null) return ''
      return needsQuotes.test(text) || text.includes(delimiter) ? `"${text.replaceAll('"', '""')}"` : text
    })
    .join(delimiter)
