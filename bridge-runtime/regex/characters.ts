/** Sets of characters of an RE2 expression, as ranges of code points, and their native form. */

export type Ranges = readonly (readonly [from: number, to: number])[]

/** Thrown where the native meaning is not known to be the same: the expression is left to re2js. */
export class Doubt extends Error {}

const lastUnit = 0xff_ff

/** What RE2 means: ASCII only, and `\s` without the vertical tab. */
export const perlClasses: Readonly<Record<string, Ranges>> = {
  d: [[0x30, 0x39]],
  w: [
    [0x30, 0x39],
    [0x41, 0x5a],
    [0x5f, 0x5f],
    [0x61, 0x7a],
  ],
  s: [
    [0x09, 0x0a],
    [0x0c, 0x0d],
    [0x20, 0x20],
  ],
}

/** `\d` and `\D`; undefined for any other letter. */
export function perlClass(letter: string): Ranges | undefined {
  const ranges = perlClasses[letter.toLowerCase()]
  return ranges === undefined || letter in perlClasses ? ranges : complement(ranges)
}

/** Of ranges in order that do not touch. */
function complement(ranges: Ranges): Ranges {
  const rest: (readonly [number, number])[] = []
  let from = 0
  for (const [low, high] of ranges) {
    if (low > from) rest.push([from, low - 1])
    from = high + 1
  }
  return [...rest, [from, lastUnit]]
}

const hex = (code: number): string => `\\u${code.toString(16).padStart(4, '0')}`

/** One character as a native expression. Characters of two units, and halves of one, are in doubt. */
export function literal(code: number): string {
  if (code > lastUnit || (code >= 0xd8_00 && code <= 0xdf_ff)) throw new Doubt('a character of two units')
  const text = String.fromCharCode(code)
  return /^[A-Za-z0-9_ ]$/.test(text) ? text : hex(code)
}

export function classSource(ranges: Ranges, negated: boolean): string {
  const members = ranges.map(([from, to]) => (from === to ? literal(from) : `${hex(from)}-${hex(to)}`))
  return `[${negated ? '^' : ''}${members.join('')}]`
}
