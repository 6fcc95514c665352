/**
 * Values of AMQP's types as text: exact, one form each, which the guide documents. A simple value is its text, a list, map or
 * array is JSON. What it takes is bounded by the bytes there are, not by the counts in them.
 */
import { isUtf8 } from 'node:buffer'
import { decimalText } from './decimals.ts'
import { described, endOf, type Span, Unreadable } from './encoded-values.ts'
import { timeText } from './times.ts'

/** Lists, maps and arrays within each other. */
const deepest = 64
/** Elements of arrays that take no bytes (null, true, …) in one value: their number is only a claim. */
const mostWeightless = 1_024

/** Bytes, or text that is UTF-8 if its writer kept to AMQP, or text of another type: bare is what JSON takes without quotes. */
type Simple =
  | null
  | { readonly kind: 'binary' | 'utf8'; readonly bytes: Buffer }
  | { readonly kind: 'bare' | 'quoted'; readonly text: string }

/** The value's text in UTF-8; of a binary its bytes; null of null. Throws Unreadable. */
export function bytesOfValue(bytes: Buffer, span: Span): Buffer | null {
  const value = new Values(bytes, span).whole()
  if (value === null) return null
  return 'bytes' in value ? value.bytes : Buffer.from(value.text, 'utf8')
}

/** The value's text, as a key of a map is written. Throws Unreadable. */
export const textOfValue = (bytes: Buffer, span: Span): string => textOf(new Values(bytes, span).whole(), span.at)

/** The elements of lists, one after the other, as one JSON array. Throws Unreadable. */
export function textOfLists(bytes: Buffer, spans: readonly Span[]): string {
  const elements = spans.flatMap((span) => new Values(bytes, span).list())
  return `[${elements.join(',')}]`
}

const bare = (value: number | bigint | boolean | string): Simple => ({ kind: 'bare', text: String(value) })
const quoted = (text: string): Simple => ({ kind: 'quoted', text })

function floating(value: number): Simple {
  if (!Number.isFinite(value)) return quoted(String(value))
  return bare(Object.is(value, -0) ? '-0' : value)
}

function decimal(bytes: Buffer): Simple {
  const text = decimalText(bytes)
  return /[0-9]$/.test(text) ? bare(text) : quoted(text)
}

/** @param at where it stands, for the error */
function textOf(value: Simple, at: number): string {
  if (value === null) return 'null'
  if ('text' in value) return value.text
  if (value.kind === 'binary') return value.bytes.toString('base64')
  if (!isUtf8(value.bytes)) throw new Unreadable(at, 'a string that is not UTF-8')
  return value.bytes.toString('utf8')
}

class Values {
  readonly #bytes: Buffer
  #at: number
  #limit: number
  #depth = 0
  #weightless = 0

  constructor(bytes: Buffer, { at, end }: Span) {
    this.#bytes = bytes
    this.#at = at
    this.#limit = end
  }

  whole(): Simple {
    return this.#ended(this.#value(this.#code()))
  }

  /** The elements, in JSON. */
  list(): string[] {
    const code = this.#code()
    if (code !== 0x45 && code !== 0xc0 && code !== 0xd0) throw this.#wrong('no list, where one has to be')
    const elements = code === 0x45 ? [] : this.#within(code, (count) => this.#elements(count))
    return this.#ended(elements)
  }

  #ended<T>(value: T): T {
    if (this.#at !== this.#limit) throw this.#wrong('a value that ends before its bounds')
    return value
  }

  #wrong(what: string): Unreadable {
    return new Unreadable(this.#at, what)
  }

  #take(count: number): number {
    const at = this.#at
    if (at + count > this.#limit) throw this.#wrong('a value that goes beyond its bounds')
    this.#at = at + count
    return at
  }

  #slice(count: number): Buffer {
    const at = this.#take(count)
    return this.#bytes.subarray(at, at + count)
  }

  #uint(width: number): number {
    return this.#bytes.readUIntBE(this.#take(width), width)
  }

  #int(width: number): Simple {
    return bare(this.#bytes.readIntBE(this.#take(width), width))
  }

  /** The type code of what comes. A descriptor before it is passed over: what it describes has the form of its own type. */
  #code(): number {
    for (;;) {
      const code = this.#uint(1)
      if (code !== described) return code
      this.#at = endOf(this.#bytes, this.#at, this.#limit)
    }
  }

  // One case for each code of the specification.
  // oxlint-disable-next-line complexity
  #value(code: number): Simple {
    const bytes = this.#bytes
    switch (code) {
      case 0x40:
        return null
      case 0x41:
        return bare(true)
      case 0x42:
        return bare(false)
      case 0x56:
        return this.#boolean()
      case 0x43:
      case 0x44:
        return bare(0)
      case 0x50:
      case 0x52:
      case 0x53:
        return bare(this.#uint(1))
      case 0x60:
        return bare(this.#uint(2))
      case 0x70:
        return bare(this.#uint(4))
      case 0x80:
        return bare(bytes.readBigUInt64BE(this.#take(8)))
      case 0x51:
      case 0x54:
      case 0x55:
        return this.#int(1)
      case 0x61:
        return this.#int(2)
      case 0x71:
        return this.#int(4)
      case 0x81:
        return bare(bytes.readBigInt64BE(this.#take(8)))
      case 0x72:
        return floating(bytes.readFloatBE(this.#take(4)))
      case 0x82:
        return floating(bytes.readDoubleBE(this.#take(8)))
      case 0x74:
        return decimal(this.#slice(4))
      case 0x84:
        return decimal(this.#slice(8))
      case 0x94:
        return decimal(this.#slice(16))
      case 0x73:
        return this.#character()
      case 0x83:
        return quoted(timeText(bytes.readBigInt64BE(this.#take(8))))
      case 0x98:
        return quoted(
          this.#slice(16)
            .toString('hex')
            .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
        )
      case 0xa0:
      case 0xb0:
        return { kind: 'binary', bytes: this.#slice(this.#uint(code === 0xa0 ? 1 : 4)) }
      case 0xa1:
      case 0xa3:
      case 0xb1:
      case 0xb3:
        return { kind: 'utf8', bytes: this.#slice(this.#uint(code < 0xb0 ? 1 : 4)) }
      case 0x45:
        return bare('[]')
      case 0xc0:
      case 0xd0:
        return bare(`[${this.#within(code, (count) => this.#elements(count)).join(',')}]`)
      case 0xc1:
      case 0xd1:
        return bare(`{${this.#within(code, (count) => this.#entries(count)).join(',')}}`)
      case 0xe0:
      case 0xf0:
        return bare(`[${this.#within(code, (count) => this.#array(count)).join(',')}]`)
      default:
        this.#at -= 1
        throw this.#wrong(`type code 0x${code.toString(16)}, which AMQP does not know`)
    }
  }

  #boolean(): Simple {
    const value = this.#uint(1)
    if (value > 1) throw this.#wrong('a boolean that is neither true nor false')
    return bare(value === 1)
  }

  #character(): Simple {
    const point = this.#uint(4)
    if (point > 0x10_ffff || (point >= 0xd800 && point < 0xe000)) throw this.#wrong('a character that Unicode has not')
    return quoted(String.fromCodePoint(point))
  }

  /** Reads what a list, map or array holds: all of its size, and no more. */
  #within<T>(code: number, read: (count: number) => T): T {
    if (this.#depth === deepest) throw this.#wrong(`lists, maps or arrays nested deeper than ${deepest}`)
    const width = code % 0x20 < 0x10 ? 1 : 4
    const size = this.#uint(width)
    const outer = this.#limit
    const end = this.#at + size
    if (end > outer) throw this.#wrong('a value that goes beyond its bounds')
    this.#limit = end
    this.#depth += 1
    const found = read(this.#uint(width))
    if (this.#at !== end) throw this.#wrong('a list, map or array whose size is not that of its contents')
    this.#limit = outer
    this.#depth -= 1
    return found
  }

  /** Each takes a byte at least, so a count that is not true ends at the bounds. */
  #elements(count: number): string[] {
    const elements: string[] = []
    while (elements.length < count) elements.push(this.#json(this.#value(this.#code())))
    return elements
  }

  #entries(count: number): string[] {
    if (count % 2 !== 0) throw this.#wrong('a map with a key that has no value')
    const entries: string[] = []
    while (entries.length * 2 < count) {
      const key = JSON.stringify(this.#key(this.#code()))
      entries.push(`${key}:${this.#json(this.#value(this.#code()))}`)
    }
    return entries
  }

  /** JSON within the text of a key, and so on, would double with each level. */
  #key(code: number): string {
    if (code === 0x45 || code >= 0xc0) throw this.#wrong('a map with a list, map or array for a key')
    return textOf(this.#value(code), this.#at)
  }

  #array(count: number): string[] {
    const code = this.#code()
    if (code >> 4 === 4) this.#weightless += count
    if (this.#weightless > mostWeightless)
      throw this.#wrong(`arrays that claim more than ${mostWeightless} elements and hold no byte of them`)
    const elements: string[] = []
    while (elements.length < count) elements.push(this.#json(this.#value(code)))
    return elements
  }

  #json(value: Simple): string {
    const text = textOf(value, this.#at)
    return value === null || value.kind === 'bare' ? text : JSON.stringify(text)
  }
}
