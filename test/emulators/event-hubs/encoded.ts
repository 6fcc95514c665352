/**
 * AMQP-encoded messages as bytes. What a sender wrote is never decoded and written again: sections are found, kept and
 * joined, so types, field order and unknown sections survive untouched.
 */

export const section = {
  header: 0x70,
  deliveryAnnotations: 0x71,
  messageAnnotations: 0x72,
  data: 0x75,
} as const

/** The descriptors' other spelling. */
const symbolic: Readonly<Record<string, number>> = {
  'amqp:header:list': 0x70,
  'amqp:delivery-annotations:map': 0x71,
  'amqp:message-annotations:map': 0x72,
  'amqp:properties:list': 0x73,
  'amqp:application-properties:map': 0x74,
  'amqp:data:binary': 0x75,
  'amqp:amqp-sequence:list': 0x76,
  'amqp:amqp-value:*': 0x77,
  'amqp:value:*': 0x77,
  'amqp:footer:map': 0x78,
}

/** Bytes are not an AMQP message. */
export class NotAmqp extends Error {}

const fixedWidth: Readonly<Record<number, number>> = { 4: 0, 5: 1, 6: 2, 7: 4, 8: 8, 9: 16 }

/** Where the value that begins at `at` ends. Throws NotAmqp, or RangeError beyond the end. */
export function endOfValue(bytes: Buffer, at: number): number {
  const code = bytes.readUInt8(at)
  if (code === 0x00) return endOfValue(bytes, endOfValue(bytes, at + 1))
  const group = code >> 4
  const width = fixedWidth[group]
  if (width !== undefined) return at + 1 + width
  if (group === 0xa || group === 0xc || group === 0xe) return at + 2 + bytes.readUInt8(at + 1)
  if (group === 0xb || group === 0xd || group === 0xf) return at + 5 + bytes.readUInt32BE(at + 1)
  throw new NotAmqp(`type code 0x${code.toString(16)} at byte ${at}`)
}

export interface Section {
  readonly code: number
  /** Of the whole section, of its value, and its end. */
  readonly start: number
  readonly value: number
  readonly end: number
}

function sectionCode(bytes: Buffer, at: number): number {
  const type = bytes.readUInt8(at)
  if (type === 0x53) return bytes.readUInt8(at + 1)
  if (type === 0x80) return Number(bytes.readBigUInt64BE(at + 1))
  const name = textAt(bytes, at)
  const code = name === undefined ? undefined : symbolic[name]
  if (code === undefined) throw new NotAmqp(`no message section is described so, at byte ${at}`)
  return code
}

/** The sections of a message, in order. Throws NotAmqp or RangeError when the bytes are not one. */
export function sectionsOf(bytes: Buffer): Section[] {
  const found: Section[] = []
  for (let start = 0; start < bytes.length; ) {
    if (bytes.readUInt8(start) !== 0x00) throw new NotAmqp(`no section begins at byte ${start}`)
    const value = endOfValue(bytes, start + 1)
    const end = endOfValue(bytes, value)
    if (end > bytes.length) throw new NotAmqp(`the section at byte ${start} is cut off`)
    found.push({ code: sectionCode(bytes, start + 1), start, value, end })
    start = end
  }
  return found
}

/** A string or symbol; undefined for any other value. */
export function textAt(bytes: Buffer, at: number): string | undefined {
  const code = bytes.readUInt8(at)
  if (code === 0xa1 || code === 0xa3) return bytes.toString('utf8', at + 2, at + 2 + bytes.readUInt8(at + 1))
  if (code === 0xb1 || code === 0xb3) return bytes.toString('utf8', at + 5, at + 5 + bytes.readUInt32BE(at + 1))
  return undefined
}

/** The content of a binary value, not copied. */
export function binaryAt(bytes: Buffer, at: number): Buffer {
  const code = bytes.readUInt8(at)
  if (code === 0xa0) return bytes.subarray(at + 2, at + 2 + bytes.readUInt8(at + 1))
  if (code === 0xb0) return bytes.subarray(at + 5, at + 5 + bytes.readUInt32BE(at + 1))
  throw new NotAmqp(`no binary at byte ${at}`)
}

export interface Entry {
  readonly key: string | undefined
  readonly start: number
  readonly value: number
  readonly end: number
}

/** The entries of the map at `at`; none when it is null. */
export function mapEntries(bytes: Buffer, at: number): Entry[] {
  const code = bytes.readUInt8(at)
  if (code === 0x40) return []
  if (code !== 0xc1 && code !== 0xd1) throw new NotAmqp(`no map at byte ${at}`)
  const small = code === 0xc1
  const count = small ? bytes.readUInt8(at + 2) : bytes.readUInt32BE(at + 5)
  const entries: Entry[] = []
  let start = at + (small ? 3 : 9)
  for (let pair = 0; pair < count / 2; pair++) {
    const value = endOfValue(bytes, start)
    const end = endOfValue(bytes, value)
    entries.push({ key: textAt(bytes, start), start, value, end })
    start = end
  }
  return entries
}

export interface EncodedEntries {
  /** Keys and values together. */
  readonly count: number
  readonly bytes: readonly Buffer[]
}

/** A section that is a map. */
export function mapSection(code: number, { count, bytes }: EncodedEntries): Buffer[] {
  const length = bytes.reduce((sum, part) => sum + part.length, 0)
  const head = Buffer.alloc(12)
  head.writeUInt8(0x00, 0)
  head.writeUInt8(0x53, 1)
  head.writeUInt8(code, 2)
  head.writeUInt8(0xd1, 3)
  head.writeUInt32BE(length + 4, 4)
  head.writeUInt32BE(count, 8)
  return [head, ...bytes]
}

export function encodeSymbol(text: string): Buffer {
  const content = Buffer.from(text, 'ascii')
  return Buffer.concat([Buffer.from([0xa3, content.length]), content])
}

export function encodeText(text: string): Buffer {
  const content = Buffer.from(text, 'utf8')
  if (content.length < 256) return Buffer.concat([Buffer.from([0xa1, content.length]), content])
  const head = Buffer.alloc(5)
  head.writeUInt8(0xb1, 0)
  head.writeUInt32BE(content.length, 1)
  return Buffer.concat([head, content])
}

const encode64 = (code: number, value: number): Buffer => {
  const bytes = Buffer.alloc(9)
  bytes.writeUInt8(code, 0)
  bytes.writeBigInt64BE(BigInt(value), 1)
  return bytes
}

export const encodeLong = (value: number): Buffer => encode64(0x81, value)
/** Milliseconds since the epoch. */
export const encodeTimestamp = (milliseconds: number): Buffer => encode64(0x83, milliseconds)
