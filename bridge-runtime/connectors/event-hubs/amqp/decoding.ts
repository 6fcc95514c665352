/**
 * Reads an event as the service writes it, as far as it is asked for: where the parts are when it arrives, their contents
 * when somebody needs the record. The hot path of reading. Senders are not trusted: see encoded-values.ts.
 */
import { described, endOf, forEachEntry, type Span, textAt, Unreadable } from './encoded-values.ts'

/** What the service says of an event. */
export interface Told {
  readonly sequenceNumber: number
  /** Milliseconds since the epoch on the service's clock. */
  readonly enqueued: number
  /** Sequence number of the partition's newest event, when the service tells it. */
  readonly last: number | undefined
}

/** Where the parts of an event are. */
export interface Layout extends Told {
  readonly partitionKey: Span | undefined
  /** The key of a record that was written through the Kafka endpoint. */
  readonly kafkaKey: Span | undefined
  readonly properties: Span | undefined
  readonly body: Body | undefined
}

export interface Body {
  readonly kind: 'data' | 'sequence' | 'value'
  /** Data and sequences may come in several sections. */
  readonly sections: readonly Span[]
}

/** An event that cannot be read, with what the service says of it as far as that can be. */
export class UnreadableEvent extends Error {
  readonly told: Partial<Told>
  constructor(message: string, told: Partial<Told>) {
    super(message)
    this.name = 'UnreadableEvent'
    this.told = told
  }
}

const header = 0x70
const deliveryAnnotations = 0x71
const messageAnnotations = 0x72
const messageProperties = 0x73
const applicationProperties = 0x74
const data = 0x75
const sequence = 0x76
const value = 0x77
const footer = 0x78

const kinds: Readonly<Record<number, Body['kind']>> = { [data]: 'data', [sequence]: 'sequence', [value]: 'value' }

/** The descriptors' other spelling. */
const symbolic: ReadonlyMap<string, number> = new Map([
  ['amqp:header:list', header],
  ['amqp:delivery-annotations:map', deliveryAnnotations],
  ['amqp:message-annotations:map', messageAnnotations],
  ['amqp:properties:list', messageProperties],
  ['amqp:application-properties:map', applicationProperties],
  ['amqp:data:binary', data],
  ['amqp:amqp-sequence:list', sequence],
  ['amqp:amqp-value:*', value],
  ['amqp:footer:map', footer],
])

/** Throws UnreadableEvent. */
export function layoutOf(bytes: Buffer): Layout {
  const reading = new Reading(bytes)
  try {
    return reading.layout()
  } catch (thrown) {
    if (thrown instanceof Unreadable) throw new UnreadableEvent(thrown.message, reading.told)
    throw thrown
  }
}

class Reading {
  readonly #bytes: Buffer
  /** A bit for each kind of section. */
  #seen = 0
  #sequenceNumber: number | undefined
  #enqueued: number | undefined
  #last: number | undefined
  #partitionKey: Span | undefined
  #kafkaKey: Span | undefined
  #properties: Span | undefined
  #kind: Body['kind'] | undefined
  readonly #sections: Span[] = []

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get told(): Partial<Told> {
    return {
      ...(this.#sequenceNumber === undefined ? {} : { sequenceNumber: this.#sequenceNumber }),
      ...(this.#enqueued === undefined ? {} : { enqueued: this.#enqueued }),
      last: this.#last,
    }
  }

  layout(): Layout {
    const { length } = this.#bytes
    for (let at = 0; at < length; ) {
      const code = this.#codeAt(at)
      const begin = endOf(this.#bytes, at + 1, length)
      const end = endOf(this.#bytes, begin, length)
      this.#section(code, { at: begin, end })
      at = end
    }
    const sequenceNumber = this.#sequenceNumber
    const enqueued = this.#enqueued
    if (sequenceNumber === undefined || enqueued === undefined)
      throw new Unreadable(0, 'no number and time of the service')
    return {
      sequenceNumber,
      enqueued,
      last: this.#last,
      partitionKey: this.#partitionKey,
      kafkaKey: this.#kafkaKey,
      properties: this.#properties,
      body: this.#kind === undefined ? undefined : { kind: this.#kind, sections: this.#sections },
    }
  }

  #codeAt(at: number): number {
    const bytes = this.#bytes
    if (bytes[at] !== described) throw new Unreadable(at, 'no section begins here')
    const type = bytes[at + 1]
    if (type === 0x53) return bytes[at + 2] ?? 0
    if (type === 0x80 && at + 10 <= bytes.length) return Number(bytes.readBigUInt64BE(at + 2))
    // Its end is looked at first.
    endOf(bytes, at + 1, bytes.length)
    return symbolic.get(textAt(bytes, at + 1) ?? '') ?? 0
  }

  #section(code: number, span: Span): void {
    const kind = kinds[code]
    if (kind !== undefined) return this.#body(kind, span)
    if (code < header || code > footer) throw new Unreadable(span.at, 'a section of a kind that a message has not')
    const bit = 1 << (code - header)
    if ((this.#seen & bit) !== 0) throw new Unreadable(span.at, 'a second section of a kind that a message has once')
    this.#seen |= bit
    if (code === messageAnnotations) this.#annotations(span)
    else if (code === deliveryAnnotations) this.#delivery(span)
    else if (code === applicationProperties) this.#properties = span
  }

  #body(kind: Body['kind'], span: Span): void {
    if (this.#kind !== undefined && (this.#kind !== kind || kind === 'value'))
      throw new Unreadable(span.at, 'a second body')
    this.#kind = kind
    this.#sections.push(span)
  }

  #annotations(span: Span): void {
    const bytes = this.#bytes
    forEachEntry(bytes, span, (key, at, end) => {
      const name = textAt(bytes, key)
      if (name === 'x-opt-sequence-number') this.#sequenceNumber = numberAt(bytes, at)
      else if (name === 'x-opt-enqueued-time') this.#enqueued = numberAt(bytes, at)
      else if (name === 'x-opt-partition-key') this.#partitionKey = { at, end }
      else if (name === 'x-opt-kafka-key') this.#kafkaKey = { at, end }
    })
  }

  #delivery(span: Span): void {
    const bytes = this.#bytes
    forEachEntry(bytes, span, (key, at) => {
      if (textAt(bytes, key) === 'last_enqueued_sequence_number') this.#last = numberAt(bytes, at)
    })
  }
}

/** A number of the kinds that the service counts in, or a time. */
function numberAt(bytes: Buffer, at: number): number {
  const code = bytes[at]
  if (code === 0x55 || code === 0x54) return bytes.readInt8(at + 1)
  if (code === 0x71) return bytes.readInt32BE(at + 1)
  if (code !== 0x81 && code !== 0x83) throw new Unreadable(at, 'no number, where the service writes one')
  const found = bytes.readInt32BE(at + 1) * 0x1_0000_0000 + bytes.readUInt32BE(at + 5)
  if (!Number.isSafeInteger(found)) throw new Unreadable(at, 'a number that the service does not reach')
  return found
}
