/**
 * Where values lie in AMQP's encoding. No length or count in it is believed: what would go beyond its bounds is Unreadable,
 * and nothing is allocated by what one says.
 */

import { isUtf8 } from 'node:buffer'

/** Bytes are not what AMQP allows, or more than is followed. The message says where and what, and quotes nothing. */
export class Unreadable extends Error {
  constructor(at: number, what: string) {
    super(`byte ${at}: ${what}`)
    this.name = 'Unreadable'
  }
}

/** Widths of types by the first half of their code; the others say their length. */
const widths: readonly (number | undefined)[] = [undefined, undefined, undefined, undefined, 0, 1, 2, 4, 8, 16]

/** Type code that stands before a descriptor and the value it describes. */
export const described = 0x00

/** @returns where the value that begins at `from` ends, at most `limit`. Throws Unreadable. */
export function endOf(bytes: Buffer, from: number, limit: number): number {
  let at = from
  for (let open = 1; open > 0; ) {
    if (at >= limit) throw cutOff(from)
    const code = bytes[at] ?? 0
    if (code === described) {
      open += 1
      at += 1
    } else {
      open -= 1
      at = endOfPlain(bytes, at, code)
    }
  }
  if (at > limit) throw cutOff(from)
  return at
}

const cutOff = (at: number): Unreadable => new Unreadable(at, 'a value that goes beyond its bounds')

function endOfPlain(bytes: Buffer, at: number, code: number): number {
  const group = code >> 4
  const width = widths[group]
  if (width !== undefined) return at + 1 + width
  if (group < 0xa) throw new Unreadable(at, `type code 0x${code.toString(16)}, which AMQP does not know`)
  const short = group % 2 === 0
  const begin = at + (short ? 2 : 5)
  if (begin > bytes.length) throw cutOff(at)
  return begin + (short ? bytes.readUInt8(at + 1) : bytes.readUInt32BE(at + 1))
}

/**
 * Calls back for each entry of the map that begins at `at` and ends at `end`: where its key and its value begin, and where
 * that ends. Null is an empty map.
 */
export function forEachEntry(
  bytes: Buffer,
  { at, end }: Span,
  entry: (key: number, value: number, end: number) => void,
): void {
  const code = bytes[at]
  if (code === 0x40) return
  if (code !== 0xc1 && code !== 0xd1) throw new Unreadable(at, 'no map, where one has to be')
  const short = code === 0xc1
  let next = at + (short ? 3 : 9)
  if (next > end) throw cutOff(at)
  const count = short ? bytes.readUInt8(at + 2) : bytes.readUInt32BE(at + 5)
  if (count % 2 !== 0) throw new Unreadable(at, 'a map with a key that has no value')
  for (let pair = 0; pair < count; pair += 2) {
    const value = endOf(bytes, next, end)
    const after = endOf(bytes, value, end)
    entry(next, value, after)
    next = after
  }
  if (next !== end) throw new Unreadable(at, 'a map whose size is not that of its entries')
}

/** Where a value begins and ends. */
export interface Span {
  readonly at: number
  readonly end: number
}

/** The contents of the string or symbol that begins at `at`; undefined when it is none, or is not UTF-8. */
export function textAt(bytes: Buffer, at: number): string | undefined {
  const code = bytes[at]
  const short = code === 0xa1 || code === 0xa3
  if (!short && code !== 0xb1 && code !== 0xb3) return undefined
  const begin = at + (short ? 2 : 5)
  const end = begin + (short ? bytes.readUInt8(at + 1) : bytes.readUInt32BE(at + 1))
  const text = bytes.toString('utf8', begin, end)
  // What is no UTF-8 becomes this sign; so does the sign itself.
  return text.includes('\uFFFD') && !isUtf8(bytes.subarray(begin, end)) ? undefined : text
}

/** The contents of the binary that begins at `at`, not copied; undefined when it is none. */
export function binaryAt(bytes: Buffer, at: number): Buffer | undefined {
  const code = bytes[at]
  if (code === 0xa0) return bytes.subarray(at + 2, at + 2 + bytes.readUInt8(at + 1))
  if (code === 0xb0) return bytes.subarray(at + 5, at + 5 + bytes.readUInt32BE(at + 1))
  return undefined
}
