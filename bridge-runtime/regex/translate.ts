/** RE2 syntax to a native expression of the same meaning, on texts without characters of two units. */
import { classSource, Doubt, literal, type Ranges } from './characters.ts'
import { Cursor } from './cursor.ts'

/** A part of the native expression, with what decides whether it may be repeated. */
interface Piece {
  readonly source: string
  /** It may match nothing: JavaScript and RE2 repeat that differently. */
  readonly nullable: boolean
  readonly captures: boolean
  /** It has a group that a match may go around: JavaScript forgets it at each repetition, RE2 does not. */
  readonly optionalCaptures: boolean
}

const once = (source: string): Piece => ({ source, nullable: false, captures: false, optionalCaptures: false })
const assertion = (source: string): Piece => ({ ...once(source), nullable: true })

/**
 * The source of a native expression without flags; undefined where there is any doubt that it means the same.
 * @param text an expression that re2js took
 */
export function translate(text: string): string | undefined {
  const cursor = new Cursor(text)
  try {
    const { source } = alternatives(cursor)
    return cursor.atEnd ? source : undefined
  } catch (error) {
    if (error instanceof Doubt) return undefined
    throw error
  }
}

function alternatives(cursor: Cursor): Piece {
  const branches = [sequence(cursor)]
  while (cursor.skip('|')) branches.push(sequence(cursor))
  const captures = branches.some((branch) => branch.captures)
  return {
    source: branches.map(({ source }) => source).join('|'),
    nullable: branches.some(({ nullable }) => nullable),
    captures,
    optionalCaptures: branches.length > 1 ? captures : branches.some(({ optionalCaptures }) => optionalCaptures),
  }
}

function sequence(cursor: Cursor): Piece {
  const pieces: Piece[] = []
  while (!cursor.atEnd && cursor.next !== '|' && cursor.next !== ')') pieces.push(repeated(atom(cursor), cursor))
  return {
    source: pieces.map(({ source }) => source).join(''),
    nullable: pieces.every(({ nullable }) => nullable),
    captures: pieces.some(({ captures }) => captures),
    optionalCaptures: pieces.some(({ optionalCaptures }) => optionalCaptures),
  }
}

const quantifier = /(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/y

const fewest: Readonly<Record<string, number>> = { '*': 0, '+': 1, '?': 0 }

/** How often a part may come. */
function countOf([, sign, low, comma, high]: RegExpExecArray): { readonly min: number; readonly max: number } {
  if (sign !== undefined) return { min: fewest[sign] as number, max: sign === '?' ? 1 : Infinity }
  const min = Number(low)
  if (comma === undefined) return { min, max: min }
  return { min, max: high === '' ? Infinity : Number(high) }
}

function repeated(piece: Piece, cursor: Cursor): Piece {
  const found = cursor.take(quantifier)
  if (found === undefined) return piece
  const { min, max } = countOf(found)
  if (piece.nullable || max === 0 || (max > 1 && piece.optionalCaptures)) throw new Doubt('a repetition')
  return {
    source: `${piece.source}${found[0]}`,
    nullable: min === 0,
    captures: piece.captures,
    optionalCaptures: piece.optionalCaptures || (min === 0 && piece.captures),
  }
}

const assertions: Readonly<Record<string, string>> = { '\\A': '^', '\\z': '$', '\\b': '\\b', '\\B': '\\B' }

function atom(cursor: Cursor): Piece {
  const special = cursor.take(/\\[AzbB]/y)
  if (special !== undefined) return assertion(assertions[special[0]] as string)
  switch (cursor.next) {
    case '^':
    case '$':
      return assertion(String.fromCharCode(cursor.character()))
    case '(':
      return group(cursor)
    case '[':
      return once(bracket(cursor))
    default:
      return once(single(cursor))
  }
}

function single(cursor: Cursor): string {
  if (cursor.skip('.')) return String.raw`[^\n]`
  if (/^[*+?]$/.test(cursor.next)) throw new Doubt('a repetition of nothing')
  const meant = cursor.skip('\\') ? cursor.escape() : cursor.character()
  return typeof meant === 'number' ? literal(meant) : classSource(meant, false)
}

function group(cursor: Cursor): Piece {
  const captures = !cursor.skip('(?:')
  if (captures && cursor.take(/\((?!\?)|\(\?P?<[A-Za-z0-9_]+>/y) === undefined) throw new Doubt('flags')
  const inner = alternatives(cursor)
  if (!cursor.skip(')')) throw new Doubt('an open group')
  return { ...inner, source: `(${captures ? '' : '?:'}${inner.source})`, captures: captures || inner.captures }
}

function bracket(cursor: Cursor): string {
  cursor.skip('[')
  const negated = cursor.skip('^')
  const ranges: (readonly [number, number])[] = []
  do ranges.push(...member(cursor))
  while (!cursor.skip(']'))
  return classSource(ranges, negated)
}

function member(cursor: Cursor): Ranges {
  if (cursor.skip('[:')) throw new Doubt('a named class')
  const low = memberCharacter(cursor)
  if (typeof low !== 'number') return low
  if (cursor.take(/-(?!\])/y) === undefined) return [[low, low]]
  const high = memberCharacter(cursor)
  if (typeof high !== 'number') throw new Doubt('a range')
  return [[low, high]]
}

function memberCharacter(cursor: Cursor): number | Ranges {
  const meant = cursor.skip('\\') ? cursor.escape() : cursor.character()
  if (typeof meant === 'number') literal(meant)
  return meant
}
