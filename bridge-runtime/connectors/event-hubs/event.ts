/** A record as an event, and back. What an event has no place for travels as in attributes.ts. */
import type { Message } from 'rhea'
import type { BridgeRecord, Header } from '../../core/contracts.ts'
import { attributesOf, type AttributeLimits, carriedIn } from '../attributes.ts'
import { keyOfText, tellsKey, textOfKey } from '../text-key.ts'
import { encodedEvent } from './encoding.ts'

/** The service takes no longer partition key. */
const fits = (text: string): boolean => text.length <= 128

/** Properties are texts of at most 32 KiB in the service's own clients; longer ones are cut up. */
const limits: AttributeLimits = { maxNameBytes: 1_024, maxValueBytes: 32_000, reserved: () => false }

export interface OutgoingEvent {
  /** UTF-8 of the partition key; undefined: any partition will do. */
  readonly key: Buffer | undefined
  /** One event of a batch, ready to be joined with others. */
  readonly bytes: Buffer
}

const nothing = Buffer.alloc(0)

export function eventOf(record: BridgeRecord, origin: string): OutgoingEvent {
  const text = record.key === null ? undefined : textOfKey(record.key, fits)
  const properties = attributesOf(record, origin, text === undefined || tellsKey(text), limits)
  const key = text === undefined ? undefined : Buffer.from(text, 'utf8')
  return { key, bytes: encodedEvent(key, properties, record.value ?? nothing) }
}

/** An event as it was received. */
export interface IncomingEvent {
  readonly sequenceNumber: number
  /** Milliseconds since the epoch on the service's clock. */
  readonly enqueued: number
  /** Rough payload bytes, as they count against the memory bound. */
  readonly bytes: number
  readonly message: Message
}

type Named = Readonly<Record<string, unknown>>

export function incoming(message: Message): IncomingEvent {
  const annotations = (message.message_annotations ?? {}) as Named
  const content = dataOf(message.body)
  return {
    sequenceNumber: Number(annotations['x-opt-sequence-number']),
    enqueued: Number(annotations['x-opt-enqueued-time']),
    bytes: (content?.length ?? 64) + 64,
    message,
  }
}

export function recordOf({ message, sequenceNumber, enqueued }: IncomingEvent): BridgeRecord {
  const texts = new Map<string, string>()
  const others: Header[] = []
  for (const [name, value] of Object.entries((message.application_properties ?? {}) as Named))
    if (typeof value === 'string') texts.set(name, value)
    else others.push({ name, value: bytesOf(value) })
  const { headers, nullValue, timestamp, key } = carriedIn(texts)
  const partitionKey = ((message.message_annotations ?? {}) as Named)['x-opt-partition-key']
  return {
    key: key ?? (typeof partitionKey === 'string' ? keyOfText(partitionKey) : null),
    value: nullValue ? null : valueOf(message.body),
    headers: others.length === 0 ? headers : [...headers, ...others],
    timestamp: timestamp ?? enqueued,
    position: String(sequenceNumber),
  }
}

/** A body section; `typecode` tells its kind. A value of AMQP's own types stands without one. */
interface Section {
  readonly typecode: number
  readonly content: unknown
  readonly multiple?: boolean
}

const data = 0x75

function sectionOf(body: unknown): Section | undefined {
  return typeof body === 'object' && body !== null && 'typecode' in body ? (body as Section) : undefined
}

/** The bytes of a body that is bytes. */
function dataOf(body: unknown): Buffer | undefined {
  const section = sectionOf(body)
  if (section?.typecode !== data) return Buffer.isBuffer(body) ? body : undefined
  if (Buffer.isBuffer(section.content)) return section.content
  return Array.isArray(section.content)
    ? Buffer.concat(section.content.filter((part) => Buffer.isBuffer(part)))
    : nothing
}

/** Bytes as they are; texts as UTF-8; other values of AMQP's types, and sequences, as JSON. */
function valueOf(body: unknown): Buffer | null {
  return dataOf(body) ?? bytesOf(sectionOf(body)?.content ?? body)
}

function bytesOf(value: unknown): Buffer | null {
  if (value === null || value === undefined) return null
  if (Buffer.isBuffer(value)) return value
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value, plain), 'utf8')
}

/** What JSON has no word for: bytes as Base64, large numbers as decimal text. */
function plain(this: unknown, name: string, value: unknown): unknown {
  // A Buffer was turned into something else before it comes here as the value.
  const held = (this as Named)[name]
  if (Buffer.isBuffer(held)) return held.toString('base64')
  return typeof value === 'bigint' ? String(value) : value
}
