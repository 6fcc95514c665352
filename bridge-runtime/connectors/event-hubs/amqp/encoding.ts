/**
 * Writes events in AMQP's encoding: each as the data section of a batch that holds it, so a batch is its events joined.
 * By hand, because it is the hot path and a general encoder takes several times as long.
 */

const partitionKeyName = Buffer.from('x-opt-partition-key', 'ascii')

/** Section codes. */
const messageAnnotations = 0x72
const applicationProperties = 0x74
const data = 0x75

/** Type codes, for lengths of one byte and of four. */
const symbol8 = 0xa3
const string = [0xa1, 0xb1] as const
const binary = [0xa0, 0xb0] as const
const map32 = 0xd1

/** Bytes of the head of a section, of a binary's or text's length, of a map's lengths. */
const sectionHead = 3
const variable = (length: number): number => (length < 256 ? 2 : 5) + length
const mapHead = 9

/** The size of a batch beside its events: a generous bound of its own head. */
export const batchOverhead = 64

/**
 * @param key UTF-8 of the partition key, kept with the event
 * @returns the event, wrapped as a section of a batch
 */
export function encodedEvent(
  key: Buffer | undefined,
  properties: Readonly<Record<string, string>>,
  value: Buffer,
): Buffer {
  const names = Object.keys(properties)
  let mapBytes = 0
  for (const name of names)
    mapBytes += variable(Buffer.byteLength(name)) + variable(Buffer.byteLength(properties[name] ?? ''))
  const keyBytes = key === undefined ? 0 : variable(partitionKeyName.length) + variable(key.length)
  const length =
    (key === undefined ? 0 : sectionHead + mapHead + keyBytes) +
    (names.length === 0 ? 0 : sectionHead + mapHead + mapBytes) +
    sectionHead +
    variable(value.length)
  const into = Buffer.allocUnsafe(sectionHead + variable(length))
  let at = section(into, 0, data)
  at = lengthOf(into, at, length, binary)
  if (key !== undefined) {
    at = map(into, section(into, at, messageAnnotations), 1, keyBytes)
    into[at] = symbol8
    into[at + 1] = partitionKeyName.length
    at += 2 + partitionKeyName.copy(into, at + 2)
    at = lengthOf(into, at, key.length, string)
    at += key.copy(into, at)
  }
  if (names.length > 0) {
    at = map(into, section(into, at, applicationProperties), names.length, mapBytes)
    for (const name of names) at = text(into, text(into, at, name), properties[name] ?? '')
  }
  at = lengthOf(into, section(into, at, data), value.length, binary)
  value.copy(into, at)
  return into
}

function section(into: Buffer, at: number, code: number): number {
  into[at] = 0x00
  into[at + 1] = 0x53
  into[at + 2] = code
  return at + sectionHead
}

function lengthOf(into: Buffer, at: number, length: number, [short, long]: readonly [number, number]): number {
  if (length < 256) {
    into[at] = short
    into[at + 1] = length
    return at + 2
  }
  into[at] = long
  into.writeUInt32BE(length, at + 1)
  return at + 5
}

function map(into: Buffer, at: number, pairs: number, bytes: number): number {
  into[at] = map32
  into.writeUInt32BE(bytes + 4, at + 1)
  into.writeUInt32BE(pairs * 2, at + 5)
  return at + mapHead
}

function text(into: Buffer, at: number, value: string): number {
  const start = lengthOf(into, at, Buffer.byteLength(value), string)
  return start + into.write(value, start, 'utf8')
}
