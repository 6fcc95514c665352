/** JSON without a change to any number: RFC 8259 text to a `Value` and back. */
import { isUtf8 } from 'node:buffer'
import { Unfit } from './unfit.ts'
import { ExactNumber, type Value } from './value.ts'

/** Digits of a number that any double holds and gives back. */
const safeDigits = 15
/** Digits of an exponent within which it does: 10^99. */
const safeExponent = 2

/**
 * True where a number may stand that no double holds: of more than fifteen digits, or with an exponent of three. What looks like one inside a
 * text costs time and nothing else. Only every third character is looked at, for both forms have three digits in a row; looking at
 * all of them with a regular expression takes as long as parsing.
 */
function perhapsInexact(text: string): boolean {
  for (let at = 2; at < text.length; at += 3) {
    if (!isDigit(text.charCodeAt(at))) continue
    let start = at
    while (isNumeral(text.charCodeAt(start - 1))) start -= 1
    let end = at + 1
    while (isNumeral(text.charCodeAt(end))) end += 1
    const digits = end - start
    if (digits > safeDigits || (digits > safeExponent && isExponent(text, start))) return true
    at = end
  }
  return false
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39
/** A digit or the point. */
const isNumeral = (code: number): boolean => isDigit(code) || code === 0x2e

/** True when `e`, `e+` or `e-` stands before it. */
function isExponent(text: string, start: number): boolean {
  const before = text[start - 1]
  const mark = before === '+' || before === '-' ? text[start - 2] : before
  return mark === 'e' || mark === 'E'
}

/** UTF-8 and nothing else: a text never holds U+FFFD that was not in it. */
export function textOf(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw new Unfit('NotUtf8', 'it is not UTF-8')
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
}

export function parseJson(text: string): Value {
  try {
    return (perhapsInexact(text) ? JSON.parse(text, exactly as never) : JSON.parse(text)) as Value
  } catch (error) {
    if (error instanceof RangeError) throw new Unfit('TooDeep', 'the JSON is nested too deeply')
    throw new Unfit('NotJson', `it is not JSON${placeIn(error)}`)
  }
}

/** V8 quotes the text; only where the fault is is told. */
function placeIn(error: unknown): string {
  const { message } = error as Error
  if (message.startsWith('Unexpected end') || message.startsWith('Unterminated')) return ': it ends too early'
  const position = /at position (\d+)/.exec(message)?.[1]
  return position === undefined ? '' : `: something else at character ${position}`
}

function exactly(_name: string, value: unknown, context: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || context.source === undefined) return value
  return exactNumber(context.source, value)
}

const integer = /^-?\d+$/

/** A number as JSON writes it: a double where that is the same number, otherwise a bigint or an `ExactNumber`. */
export function exactNumber(text: string, double: number = Number(text)): number | bigint | ExactNumber {
  if (integer.test(text)) return Number.isSafeInteger(double) ? double : BigInt(text)
  return Number.isFinite(double) && digitsOf(String(double)) === digitsOf(text) ? double : new ExactNumber(text)
}

/** Digits and exponent in one form, so that `1.50e3` and `1500` are the same. */
function digitsOf(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(text) ?? []
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const trimmed = digits.replace(/0+$/, '')
  if (trimmed === '') return '0'
  return `${sign}${trimmed}e${Number(exponent) - fraction.length + (digits.length - trimmed.length)}`
}

export function writeJson(value: Value): string {
  try {
    return JSON.stringify(value)
  } catch (error) {
    if (error instanceof RangeError) throw new Unfit('TooDeep', 'the value is nested too deeply for JSON')
    return JSON.stringify(value, (_name, part: unknown) => (typeof part === 'bigint' ? rawInteger(part) : part))
  }
}

const rawInteger = (value: bigint): unknown => new ExactNumber(String(value)).toJSON()
