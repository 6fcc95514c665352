import { isUtf8 } from 'node:buffer'
import { Unfit } from '../../values/unfit.ts'

const truncated = (): Unfit =>
  new Unfit('NotAvro', 'it ends before the value does: it was written with another schema, or is damaged')
/** Nested arrays, maps and records. */
const deepest = 200
/** Elements beyond one for each byte: those of no bytes, such as null, are a claim that costs nothing to make. */
const spare = 10_000

/** Reads Avro's binary encoding. Nothing that the bytes claim is believed beyond what they can hold. */
export class Cursor {
  readonly bytes: Buffer
  at: number
  #depth = 0
  #elements: number

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes
    this.at = at
    this.#elements = bytes.length + spare
  }

  get atEnd(): boolean {
    return this.at === this.bytes.length
  }

  /** A record, a list or a map begins: `leave` ends it. */
  enter(): void {
    this.#depth += 1
    if (this.#depth > deepest) throw new Unfit('TooDeep', `it is nested more than ${deepest} times`)
  }

  leave(): void {
    this.#depth -= 1
  }

  /** So many elements are to come. */
  expect(elements: number): void {
    this.#elements -= elements
    if (this.#elements < 0) throw new Unfit('ValueTooLarge', 'it claims more elements than its bytes can hold')
  }

  /** Zigzag varint; exact. */
  long(): number | bigint {
    const { bytes } = this
    let low = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte()
      low |= (byte & 0x7f) << shift
      if (byte < 0x80) return (low >>> 1) ^ -(low & 1)
    }
    let value = BigInt(low)
    for (let shift = 28n; shift < 70n; shift += 7n) {
      if (this.at >= bytes.length) throw truncated()
      const byte = bytes[this.at++] as number
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return exact(BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n)), value)
    }
    throw new Unfit('NotAvro', 'a number of more than 64 bits')
  }

  int(): number {
    const value = this.long()
    if (typeof value === 'bigint' || value !== (value | 0)) throw new Unfit('NotAvro', 'an int of more than 32 bits')
    return value
  }

  byte(): number {
    if (this.at >= this.bytes.length) throw truncated()
    return this.bytes[this.at++] as number
  }

  /** How long something is, or how many there are. */
  length(): number {
    const value = this.long()
    if (typeof value === 'bigint' || value < 0) throw new Unfit('NotAvro', 'a length below zero or beyond all bounds')
    return value
  }

  take(length: number): Buffer {
    if (length > this.bytes.length - this.at) throw truncated()
    const part = this.bytes.subarray(this.at, this.at + length)
    this.at += length
    return part
  }

  text(): string {
    const length = this.length()
    const { bytes, at } = this
    const end = at + length
    if (end > bytes.length) throw truncated()
    this.at = end
    if (isShortAscii(bytes, at, end)) return bytes.toString('latin1', at, end)
    const part = bytes.subarray(at, end)
    if (!isUtf8(part)) throw new Unfit('NotUtf8', 'a text in it is not UTF-8')
    return part.toString()
  }
}

/** Longer ones are looked at faster by the platform. */
const short = 64

/** Most texts are: a call less for each. */
function isShortAscii(bytes: Buffer, from: number, to: number): boolean {
  if (to - from > short) return false
  for (let at = from; at < to; at += 1) if ((bytes[at] as number) > 0x7f) return false
  return true
}

function exact(value: bigint, zigzag: bigint): number | bigint {
  if (zigzag >= 1n << 64n) throw new Unfit('NotAvro', 'a number of more than 64 bits')
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
}
