/**
 * A publish request in its wire format, written in one pass. The generated encoder copies each message into an object of its
 * own and keeps an object for each field until the end: more garbage than everything else on the way of a record together.
 */

export interface OutgoingMessage {
  readonly data: Uint8Array
  readonly attributes: Readonly<Record<string, string>>
  /** Absent or empty: no order. */
  readonly orderingKey?: string
}

/** Field numbers shifted by three bits, with the wire type of what has a length. */
const topicTag = 0x0a
const messagesTag = 0x12
const dataTag = 0x0a
const attributesTag = 0x12
const orderingKeyTag = 0x2a
const nameTag = 0x0a
const valueTag = 0x12

const varintLength = (value: number): number =>
  value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5

/** Of a field with its tag and its length. */
const fieldLength = (bytes: number): number => 1 + varintLength(bytes) + bytes

const entryLength = (name: string, value: string): number =>
  fieldLength(Buffer.byteLength(name)) + fieldLength(Buffer.byteLength(value))

/** Bytes of a message’s fields. */
function messageLength({ data, attributes, orderingKey = '' }: OutgoingMessage): number {
  let length = fieldLength(data.length)
  for (const name in attributes) length += fieldLength(entryLength(name, attributes[name] ?? ''))
  return orderingKey === '' ? length : length + fieldLength(Buffer.byteLength(orderingKey))
}

/** Encodes `google.pubsub.v1.PublishRequest`. */
export function encodePublishRequest(topic: string, messages: readonly OutgoingMessage[]): Buffer {
  const lengths = messages.map(messageLength)
  const total = lengths.reduce((sum, length) => sum + fieldLength(length), fieldLength(Buffer.byteLength(topic)))
  const bytes = Buffer.allocUnsafe(total)
  let at = writeText(bytes, 0, topicTag, topic)
  for (const [index, message] of messages.entries()) {
    at = writeHead(bytes, at, messagesTag, lengths[index] ?? 0)
    at = writeMessage(bytes, at, message)
  }
  return bytes
}

function writeMessage(bytes: Buffer, from: number, { data, attributes, orderingKey = '' }: OutgoingMessage): number {
  let at = writeHead(bytes, from, dataTag, data.length)
  bytes.set(data, at)
  at += data.length
  for (const name in attributes) {
    const value = attributes[name] ?? ''
    at = writeHead(bytes, at, attributesTag, entryLength(name, value))
    at = writeText(bytes, at, nameTag, name)
    at = writeText(bytes, at, valueTag, value)
  }
  return orderingKey === '' ? at : writeText(bytes, at, orderingKeyTag, orderingKey)
}

/** @returns where it ends */
function writeHead(bytes: Buffer, from: number, tag: number, length: number): number {
  let at = from
  bytes[at++] = tag
  let rest = length
  for (; rest >= 0x80; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80
  bytes[at++] = rest
  return at
}

function writeText(bytes: Buffer, from: number, tag: number, text: string): number {
  const at = writeHead(bytes, from, tag, Buffer.byteLength(text))
  return at + bytes.write(text, at, 'utf8')
}
