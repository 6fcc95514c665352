/** Messages of syslog, as RFC 5424 has them. */
import { withoutLineEnd } from '../../texts/line.ts'
import { mismatch } from '../../texts/mismatch.ts'
import { ownField, setOwn, type Value, type ValueObject } from '../../values/value.ts'

const header = /^<(0|[1-9]\d{0,2})>1 (\S+) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) (?=[-[])/
const instant = /^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[-+]([01]\d|2[0-3]):[0-5]\d)$/

const given = (text: string | undefined): string | null => (text === undefined || text === '-' ? null : text)

/** Fields: facility, severity, time, host, app, processId, messageId, data, message. */
export function syslog(text: string): ValueObject {
  const line = withoutLineEnd(text)
  const [head, priority, time, host, app, processId, messageId] = header.exec(line) ?? []
  if (head === undefined) throw mismatch('the header', 0, '<priority>1 time host app process message-id')
  if (Number(priority) > 191) throw mismatch('the priority', 1, 'a number from 0 to 191')
  const { data, end } = structuredData(line, head.length)
  return {
    facility: Math.floor(Number(priority) / 8),
    severity: Number(priority) % 8,
    time: timeOf(time as string, line.indexOf(' ') + 1),
    host: given(host),
    app: given(app),
    processId: given(processId),
    messageId: given(messageId),
    data,
    message: messageOf(line, end),
  }
}

function timeOf(text: string, at: number): string | null {
  if (text === '-') return null
  const day = text.slice(0, 10)
  const date = Date.parse(day)
  if (!instant.test(text) || Number.isNaN(date) || !new Date(date).toISOString().startsWith(day))
    throw mismatch('the time', at, 'RFC 3339 or a hyphen')
  return text
}

function messageOf(line: string, from: number): string | null {
  if (from === line.length) return null
  if (line[from] !== ' ') throw mismatch('what follows the structured data', from, 'a blank')
  const message = line.slice(from + 1)
  return message.startsWith('\ufeff') ? message.slice(1) : message
}

const element = /\[([!#-<>-\\^-~]{1,32})/y
const parameter = / ([!#-<>-\\^-~]{1,32})="((?:[^"\\\]]|\\[\s\S])*)"/y

interface Structured {
  readonly data: ValueObject
  readonly end: number
}

function structuredData(line: string, from: number): Structured {
  const data: ValueObject = {}
  if (line[from] === '-') return { data, end: from + 1 }
  let at = from
  while (line[at] === '[') at = elementAt(line, at, data)
  return { data, end: at }
}

function elementAt(line: string, from: number, data: ValueObject): number {
  element.lastIndex = from
  const name = element.exec(line)?.[1]
  if (name === undefined || ownField(data, name) !== undefined)
    throw mismatch('the structured data', from, 'an element with a name of its own')
  const fields: ValueObject = {}
  let at = element.lastIndex
  while (line[at] === ' ') at = parameterAt(line, at, fields)
  if (line[at] !== ']') throw mismatch('the structured data', at, 'name="value" or ]')
  setOwn(data, name, fields)
  return at + 1
}

function parameterAt(line: string, from: number, fields: ValueObject): number {
  parameter.lastIndex = from
  const [all, name, written] = parameter.exec(line) ?? []
  if (all === undefined || name === undefined || written === undefined)
    throw mismatch('the structured data', from, ' name="value"')
  setOwn(fields, name, added(ownField(fields, name), written.replace(/\\(["\\\]])/g, '$1')))
  return from + all.length
}

/** A name that stands more than once is a list. */
function added(before: Value | undefined, text: string): Value {
  if (before === undefined) return text
  return Array.isArray(before) ? [...before, text] : [before, text]
}
