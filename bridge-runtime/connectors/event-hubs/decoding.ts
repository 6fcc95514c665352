/**
 * Reads an event as the service writes it, as far as it is asked for: where the parts are when it arrives, their contents
 * when somebody needs the record. The hot path of reading; what is not usual is left to the library's general decoder.
 */

/** What is read of an event when it arrives. */
export interface Layout {
  readonly sequenceNumber: number
  /** Milliseconds since the epoch on the service's clock. */
  readonly enqueued: number
  readonly partitionKey: string | undefined
  /** Sequence number of the partition's newest event, when the service tells it. */
  readonly last: number | undefined
  /** Where the properties are. */
  readonly properties: number | undefined
  readonly body: Buffer
}

/** Not an event of the usual kind. */
class Unusual extends Error {}

const deliveryAnnotations = 0x71
const messageAnnotations = 0x72
const applicationProperties = 0x74
const data = 0x75
const sequence = 0x76
const value = 0x77

/** Widths of types by the first half of their code; the others say their length. */
const widths: readonly (number | undefined)[] = [undefined, undefined, undefined, undefined, 0, 1, 2, 4, 8, 16]

function endOf(bytes: Buffer, at: number): number {
  const code = bytes.readUInt8(at)
  const group = code >> 4
  const width = widths[group]
  if (width !== undefined) return at + 1 + width
  if (code === 0) return endOf(bytes, endOf(bytes, at + 1))
  if (group === 0xa || group === 0xc || group === 0xe) return at + 2 + bytes.readUInt8(at + 1)
  if (group < 0xa) throw new Unusual()
  return at + 5 + bytes.readUInt32BE(at + 1)
}

/** A text or a symbol. */
function textAt(bytes: Buffer, at: number): string | undefined {
  const code = bytes.readUInt8(at)
  if (code === 0xa1 || code === 0xa3) return bytes.toString('utf8', at + 2, at + 2 + bytes.readUInt8(at + 1))
  if (code === 0xb1 || code === 0xb3) return bytes.toString('utf8', at + 5, at + 5 + bytes.readUInt32BE(at + 1))
  return undefined
}

/** A number of the kinds that the service counts in, or a time. */
function numberAt(bytes: Buffer, at: number): number {
  const code = bytes.readUInt8(at)
  if (code === 0x81 || code === 0x83) return bytes.readInt32BE(at + 1) * 0x1_0000_0000 + bytes.readUInt32BE(at + 5)
  if (code === 0x55) return bytes.readInt8(at + 1)
  throw new Unusual()
}

function forEachEntry(bytes: Buffer, at: number, entry: (name: string | undefined, value: number) => void): void {
  const code = bytes.readUInt8(at)
  if (code !== 0xc1 && code !== 0xd1) throw new Unusual()
  const small = code === 0xc1
  const count = small ? bytes.readUInt8(at + 2) : bytes.readUInt32BE(at + 5)
  let next = at + (small ? 3 : 9)
  for (let pair = 0; pair < count / 2; pair += 1) {
    const found = endOf(bytes, next)
    entry(textAt(bytes, next), found)
    next = endOf(bytes, found)
  }
}

function ifUsual<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (thrown) {
    if (thrown instanceof Unusual || thrown instanceof RangeError) return undefined
    throw thrown
  }
}

/** Undefined for an event that is not of the usual kind: annotations as the service writes them, and one piece of data. */
export const layoutOf = (bytes: Buffer): Layout | undefined => ifUsual(() => read(bytes))

/** The properties of an event; undefined when one of them is no text. */
export const propertiesOf = (bytes: Buffer, { properties }: Layout): ReadonlyMap<string, string> | undefined =>
  properties === undefined ? new Map() : ifUsual(() => textsAt(bytes, properties))

function read(bytes: Buffer): Layout {
  const marks = new Map<number, number>()
  for (let at = 0; at < bytes.length; ) {
    // 0x00: described; 0x53: by a small number.
    if (bytes[at] !== 0x00 || bytes[at + 1] !== 0x53) throw new Unusual()
    const code = bytes.readUInt8(at + 2)
    if (code === sequence || code === value || marks.has(code)) throw new Unusual()
    marks.set(code, at + 3)
    at = endOf(bytes, at + 3)
  }
  return {
    ...annotationsAt(bytes, marks.get(messageAnnotations)),
    last: lastAt(bytes, marks.get(deliveryAnnotations)),
    properties: marks.get(applicationProperties),
    body: binaryAt(bytes, marks.get(data)),
  }
}

function annotationsAt(
  bytes: Buffer,
  at: number | undefined,
): Pick<Layout, 'sequenceNumber' | 'enqueued' | 'partitionKey'> {
  if (at === undefined) throw new Unusual()
  let sequenceNumber: number | undefined
  let enqueued: number | undefined
  let partitionKey: string | undefined
  forEachEntry(bytes, at, (name, found) => {
    if (name === 'x-opt-sequence-number') sequenceNumber = numberAt(bytes, found)
    else if (name === 'x-opt-enqueued-time') enqueued = numberAt(bytes, found)
    else if (name === 'x-opt-partition-key') partitionKey = textAt(bytes, found)
  })
  if (sequenceNumber === undefined || enqueued === undefined) throw new Unusual()
  return { sequenceNumber, enqueued, partitionKey }
}

function lastAt(bytes: Buffer, at: number | undefined): number | undefined {
  let last: number | undefined
  if (at === undefined) return undefined
  forEachEntry(bytes, at, (name, found) => {
    if (name === 'last_enqueued_sequence_number') last = numberAt(bytes, found)
  })
  return last
}

function textsAt(bytes: Buffer, at: number): ReadonlyMap<string, string> {
  const texts = new Map<string, string>()
  forEachEntry(bytes, at, (name, found) => {
    const text = textAt(bytes, found)
    if (name === undefined || text === undefined) throw new Unusual()
    texts.set(name, text)
  })
  return texts
}

function binaryAt(bytes: Buffer, at: number | undefined): Buffer {
  if (at === undefined) throw new Unusual()
  const code = bytes.readUInt8(at)
  if (code === 0xa0) return bytes.subarray(at + 2, at + 2 + bytes.readUInt8(at + 1))
  if (code === 0xb0) return bytes.subarray(at + 5, at + 5 + bytes.readUInt32BE(at + 1))
  throw new Unusual()
}
