/** Where a reader begins: the selector filter of its source. */
import type { Position } from './event.ts'

export type Start =
  | { readonly kind: 'first' }
  /** After what the partition holds when the reader attaches. */
  | { readonly kind: 'latest' }
  | {
      readonly kind: 'offset' | 'sequence-number' | 'enqueued-time'
      readonly value: number
      readonly inclusive: boolean
    }

const grammar = /^\s*amqp\.annotation\.x-opt-(offset|sequence-number|enqueued-time)\s*(>=?)\s*'([^']*)'\s*$/

/** Undefined when the text is no filter of the service. Without a filter a reader begins at the first event. */
export function parseFilter(text: string | undefined): Start | undefined {
  if (text === undefined) return { kind: 'first' }
  const [, field, operator, value = ''] = grammar.exec(text) ?? []
  if (field === 'offset' && value === '@latest') return { kind: 'latest' }
  if (field !== 'enqueued-time' && value === '-1') return { kind: 'first' }
  if (!/^-?\d+$/.test(value) || !Number.isSafeInteger(Number(value))) return undefined
  const kind = field as 'offset' | 'sequence-number' | 'enqueued-time'
  return { kind, value: Number(value), inclusive: operator === '>=' }
}

const figure = {
  offset: ({ offset }: Position) => offset,
  'sequence-number': ({ sequenceNumber }: Position) => sequenceNumber,
  'enqueued-time': ({ enqueuedTime }: Position) => enqueuedTime,
} as const

/** Whether an event is among those the reader asked for. It stays so for all events after the first. */
export function wanted(start: Exclude<Start, { kind: 'latest' }>, event: Position): boolean {
  if (start.kind === 'first') return true
  const value = figure[start.kind](event)
  return start.inclusive ? value >= start.value : value > start.value
}

/** Why the service would refuse the start: it names an event that does not exist yet. Undefined when it would not. */
export function beyondEnd(start: Start, last: Position | undefined): string | undefined {
  if (start.kind !== 'offset' && start.kind !== 'sequence-number') return undefined
  const end = last === undefined ? -1 : figure[start.kind](last)
  if (start.value <= end) return undefined
  const name = start.kind === 'offset' ? 'offset' : 'sequence number'
  return `The supplied ${name} '${start.value}' is invalid. The last ${name} in the system is '${end}'`
}
