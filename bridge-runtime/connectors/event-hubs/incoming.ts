/** An event as a record. Bodies and properties of AMQP's own types are made text; see the guide. */
import rhea, { type Message } from 'rhea'
import type { BridgeRecord, Header } from '../../core/contracts.ts'
import { carriedIn } from '../attributes.ts'
import { keyOfText } from '../text-key.ts'
import { type Layout, layoutOf, propertiesOf } from './decoding.ts'

/** An event as it was received. */
export interface IncomingEvent {
  readonly sequenceNumber: number
  /** Milliseconds since the epoch on the service's clock. */
  readonly enqueued: number
  /** Sequence number of the partition's newest event, when the service tells it. */
  readonly last: number | undefined
  /** The whole message, encoded. */
  readonly encoded: Buffer
  /** Undefined when it takes the general decoder. */
  readonly layout: Layout | undefined
}

type Named = Readonly<Record<string, unknown>>

export function incoming(encoded: Buffer): IncomingEvent {
  const layout = layoutOf(encoded)
  if (layout !== undefined) {
    const { sequenceNumber, enqueued, last } = layout
    return { sequenceNumber, enqueued, last, encoded, layout }
  }
  const { message_annotations: annotations = {}, delivery_annotations: told = {} } = decoded(encoded)
  const last = (told as Named)['last_enqueued_sequence_number']
  return {
    sequenceNumber: Number((annotations as Named)['x-opt-sequence-number']),
    enqueued: Number((annotations as Named)['x-opt-enqueued-time']),
    last: last === undefined ? undefined : Number(last),
    encoded,
    layout,
  }
}

const decoded = (encoded: Buffer): Message => ({ body: undefined, ...rhea.message.decode(encoded) })

export function recordOf(event: IncomingEvent): BridgeRecord {
  const { layout, encoded } = event
  const texts = layout && propertiesOf(encoded, layout)
  if (layout === undefined || texts === undefined) return generalRecord(event)
  return record(event, texts, layout.partitionKey, layout.body)
}

function generalRecord(event: IncomingEvent): BridgeRecord {
  const {
    application_properties: properties = {},
    message_annotations: annotations = {},
    body,
  } = decoded(event.encoded)
  const texts = new Map<string, string>()
  const others: Header[] = []
  for (const [name, value] of Object.entries(properties as Named))
    if (typeof value === 'string') texts.set(name, value)
    else others.push({ name, value: bytesOf(value) })
  const key = (annotations as Named)['x-opt-partition-key']
  const found = record(event, texts, typeof key === 'string' ? key : undefined, valueOf(body))
  return { ...found, headers: [...found.headers, ...others] }
}

function record(
  { sequenceNumber, enqueued }: IncomingEvent,
  properties: ReadonlyMap<string, string>,
  partitionKey: string | undefined,
  value: Buffer | null,
): BridgeRecord {
  const { headers, nullValue, timestamp, key } = carriedIn(properties)
  return {
    key: key ?? (partitionKey === undefined ? null : keyOfText(partitionKey)),
    value: nullValue ? null : value,
    headers,
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
    : Buffer.alloc(0)
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
