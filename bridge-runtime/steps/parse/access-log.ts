/** Lines of an access log: `%h %l %u %t "%r" %>s %b`, and with `"%{Referer}i" "%{User-agent}i"`. */
import { closingQuote, unescaped, withoutLineEnd } from '../../texts/line.ts'
import { mismatch } from '../../texts/mismatch.ts'
import { exactNumber } from '../../values/json.ts'
import type { Value, ValueObject } from '../../values/value.ts'
import { ClfTimes, timeLength } from './clf-time.ts'

type Combined = 'Common' | 'Combined'

export function accessLog(form: Combined): (text: string) => ValueObject {
  const scanner = new Scanner()
  return form === 'Combined' ? (text) => scanner.combined(text) : (text) => scanner.common(text)
}

const given = (text: string): string | null => (text === '-' || text === '' ? null : text)

/** A double holds every number of so many digits. */
const mostSafeDigits = 15

/** One for each step. */
class Scanner {
  #text = ''
  #at = 0
  readonly #times = new ClfTimes()

  common(text: string): ValueObject {
    const fields = this.#start(text)
    this.#end('the number of bytes')
    return fields
  }

  combined(text: string): ValueObject {
    const fields = this.#start(text)
    fields['referer'] = given(this.#quoted(' "', 'the referer'))
    fields['userAgent'] = given(this.#quoted(' "', 'the user agent'))
    this.#end('the user agent')
    return fields
  }

  #start(text: string): ValueObject {
    this.#text = withoutLineEnd(text)
    this.#at = 0
    const ip = given(this.#until(' ', 'the address'))
    this.#until(' ', 'the identity')
    const user = given(this.#until(' [', 'the user'))
    const time = this.#time()
    const { method, path, protocol } = requestOf(this.#quoted('] "', 'the request'))
    this.#expect(' ', 'the request')
    const status = this.#number('the status', ' ')
    const bytes = this.#number('the number of bytes')
    return { ip, user, time, method, path, protocol, status, bytes }
  }

  /** Up to this mark, and past it. */
  #until(mark: string, part: string): string {
    const start = this.#at
    const end = this.#text.indexOf(mark, start)
    if (end <= start) throw mismatch(part, start, mark === ' ' ? 'a word and a blank' : 'a name and a time in brackets')
    this.#at = end + mark.length
    return this.#text.slice(start, end)
  }

  #expect(mark: string, part: string): void {
    if (!this.#text.startsWith(mark, this.#at)) throw mismatch(`what follows ${part}`, this.#at, `"${mark}"`)
    this.#at += mark.length
  }

  #time(): string {
    const start = this.#at
    this.#at += timeLength
    return this.#times.read(this.#text.slice(start, this.#at), start)
  }

  /** What stands between this opening, a quote included, and the closing quote. */
  #quoted(opening: string, part: string): string {
    if (!this.#text.startsWith(opening, this.#at)) throw mismatch(part, this.#at, opening)
    const start = this.#at + opening.length
    const end = closingQuote(this.#text, start)
    if (end === -1) throw mismatch(part, this.#text.length, 'a closing quote')
    this.#at = end + 1
    return unescaped(this.#text.slice(start, end))
  }

  /** Digits or a hyphen, up to a mark and past it, or up to the next blank. */
  #number(part: string, mark = ''): Value {
    const start = this.#at
    const blank = this.#text.indexOf(' ', start)
    const end = blank === -1 ? this.#text.length : blank
    const text = this.#text.slice(start, end)
    this.#at = end
    if (mark !== '') this.#expect(mark, part)
    if (text === '-') return null
    if (!/^\d+$/.test(text)) throw mismatch(part, start, 'digits or a hyphen')
    return text.length <= mostSafeDigits ? Number(text) : exactNumber(text)
  }

  #end(part: string): void {
    if (this.#at < this.#text.length) throw mismatch(`what follows ${part}`, this.#at, 'the end of the line')
  }
}

interface Request {
  readonly method: string | null
  readonly path: string | null
  readonly protocol: string | null
}

const verbForm = /^[A-Z][A-Z_-]*$/

/** What is no request of HTTP, as scanners of ports send it, is a path alone: nothing of it is lost. */
function requestOf(line: string): Request {
  const first = line.indexOf(' ')
  const last = line.lastIndexOf(' ')
  const verb = line.slice(0, Math.max(first, 0))
  if (!verbForm.test(verb)) return { method: null, path: given(line), protocol: null }
  if (last > first && line.startsWith('HTTP/', last + 1))
    return { method: verb, path: line.slice(first + 1, last), protocol: line.slice(last + 1) }
  return { method: verb, path: line.slice(first + 1), protocol: null }
}
