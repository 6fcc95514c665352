/** How a record becomes a message and back. */
import type { BridgeRecord } from '../../core/contracts.ts'
import { BridgeError } from '../../core/errors.ts'
import { type AttributeLimits, attributesOf, carriedIn } from '../fields/attributes.ts'
import { keyOfText, standsFor, tellsKey, textOfKey } from '../fields/text-key.ts'
import type { PubsubMessage } from './connection.ts'

/** The service's limits: bytes of a message, its attributes and their sizes, and the ordering key. */
const maxMessageBytes = 10_000_000
const maxKeyBytes = 1024
const attributeLimits: AttributeLimits = {
  maxNameBytes: 256,
  maxValueBytes: 1024,
  maxAttributes: 100,
  reserved: (name) => name.startsWith('goog'),
}
/** Bytes a message and each of its attributes take beside their texts, at most. */
const overhead = 24

const fits = (text: string): boolean => Buffer.byteLength(text) <= maxKeyBytes

export interface Outgoing {
  readonly message: PubsubMessage
  /** As the service counts them, or slightly more. */
  readonly bytes: number
}

/** The ordering key of a record's key; empty: none. */
export const orderingKeyOf = (key: Buffer | null): string => (key === null ? '' : textOfKey(key, fits))

/** @returns the message, or why the service would refuse it */
export function messageOf(record: BridgeRecord, origin: string, orderingKey: string): Outgoing | BridgeError {
  const attributes = attributesOf(record, origin, orderingKey !== '' && tellsKey(orderingKey), attributeLimits)
  const data = record.value ?? Buffer.alloc(0)
  let bytes = data.length + Buffer.byteLength(orderingKey) + overhead
  let count = 0
  for (const name in attributes) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(attributes[name] ?? '') + overhead
    count += 1
  }
  if (bytes > maxMessageBytes)
    return tooLarge(
      `a message of ${bytes} bytes (headers included) is larger than Pub/Sub’s limit of ${maxMessageBytes} bytes`,
    )
  if (count > attributeLimits.maxAttributes) return tooLarge(noRoom(record))
  return { message: orderingKey === '' ? { data, attributes } : { data, attributes, orderingKey }, bytes }
}

/** What to do is said by what it takes: nothing in the bridge's own settings makes room. */
function noRoom({ headers }: BridgeRecord): string {
  const { maxAttributes, maxValueBytes } = attributeLimits
  const bytes = headers.reduce((sum, { name, value }) => sum + Buffer.byteLength(name) + (value?.length ?? 0), 0)
  const what = `${headers.length} header${headers.length === 1 ? '' : 's'} of ${bytes} bytes`
  return `${what} have no room in a message of Pub/Sub, packed or not: it takes ${maxAttributes} attributes of ${maxValueBytes} bytes, and what is packed takes 16/9 of its bytes; drop or shorten headers where the record is made`
}

const tooLarge = (message: string): BridgeError =>
  new BridgeError(message, { kind: 'poison', reason: 'RecordTooLarge' })

const dataOf = ({ data }: PubsubMessage): Buffer =>
  data instanceof Uint8Array
    ? Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    : Buffer.from(data ?? '', 'base64')

export function recordOf(message: PubsubMessage): BridgeRecord {
  const data = dataOf(message)
  const orderingKey = message.orderingKey ?? ''
  const { headers, nullValue, timestamp, key } = carriedIn(new Map(Object.entries(message.attributes ?? {})), {
    empty: data.length === 0,
    admits: (packed) => orderingKey === '' || standsFor(orderingKey, packed),
  })
  return {
    key: key ?? (orderingKey === '' ? null : keyOfText(orderingKey)),
    value: nullValue ? null : data,
    headers,
    timestamp: timestamp ?? publishedAt(message),
    position: message.messageId ?? '',
  }
}

/** Milliseconds since the epoch. */
export function publishedAt({ publishTime }: PubsubMessage): number {
  return Number(publishTime?.seconds ?? 0) * 1000 + Math.floor((publishTime?.nanos ?? 0) / 1_000_000)
}

/** Bytes of a received message as they count against memory. */
export function messageBytes(message: PubsubMessage): number {
  let bytes = (message.data?.length ?? 0) + (message.orderingKey?.length ?? 0)
  for (const name in message.attributes) bytes += name.length + (message.attributes[name]?.length ?? 0)
  return bytes
}
