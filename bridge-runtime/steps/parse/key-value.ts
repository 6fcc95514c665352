/** Pairs like `level=info msg="it works"`. */
import { z } from 'zod'
import { textOf, withRules } from '../../../crds/kit/rules.ts'
import { closingQuote, unescaped, withoutLineEnd } from '../../texts/line.ts'
import { mismatch } from '../../texts/mismatch.ts'
import { ownField, setOwn, type ValueObject } from '../../values/value.ts'

const mark = textOf({
  pattern: /^[\t -!#-~]{1,4}$/,
  message: 'write one to four characters, none of them a quote',
  maxLength: 4,
})

export const pairs = withRules(
  z.object({
    delimiter: mark.default(' ').meta({ description: 'What stands between two pairs. Blanks may be repeated.' }),
    separator: mark.default('=').meta({ description: 'What stands between a name and its value.' }),
  }),
  [
    {
      cel: 'self.delimiter != self.separator',
      message: 'delimiter and separator must differ',
      holds: ({ delimiter, separator }) => delimiter !== separator,
    },
  ],
)

type Marks = z.output<typeof pairs>

/** Each name once; a value may stand in quotes, with `\"` in it. */
export function keyValue(marks: Marks): (text: string) => ValueObject {
  const blank = marks.delimiter.trim() === ''
  return (text) => {
    const line = withoutLineEnd(text)
    const fields: ValueObject = {}
    let at = blank ? pastBlanks(line, 0, marks) : 0
    do {
      at = pairAt(line, at, marks, fields)
      if (blank) at = pastBlanks(line, at, marks)
    } while (at < line.length)
    return fields
  }
}

function pastBlanks(line: string, from: number, { delimiter }: Marks): number {
  let at = from
  while (line.startsWith(delimiter, at)) at += delimiter.length
  return at
}

/** Where the next pair begins. */
function pairAt(line: string, from: number, marks: Marks, fields: ValueObject): number {
  const { delimiter, separator } = marks
  const middle = line.indexOf(separator, from)
  const name = line.slice(from, Math.max(middle, from))
  if (name === '' || name.includes(delimiter)) throw mismatch('a pair', from, `a name and "${separator}"`)
  if (ownField(fields, name) !== undefined) throw mismatch('a pair', from, 'each name once')
  const start = middle + separator.length
  const end = line[start] === '"' ? quotedEnd(line, start) : plainEnd(line, start, delimiter)
  const text = line.slice(start, end)
  setOwn(fields, name, text.startsWith('"') ? unescaped(text.slice(1, -1)) : text)
  if (end === line.length) return end
  if (!line.startsWith(delimiter, end)) throw mismatch('a value in quotes', end, 'its end')
  return end + delimiter.length
}

function quotedEnd(line: string, start: number): number {
  const end = closingQuote(line, start + 1)
  if (end === -1) throw mismatch('a value in quotes', line.length, 'a closing quote')
  return end + 1
}

function plainEnd(line: string, start: number, delimiter: string): number {
  const end = line.indexOf(delimiter, start)
  return end === -1 ? line.length : end
}
