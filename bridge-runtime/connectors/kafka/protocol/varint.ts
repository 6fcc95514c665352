/** Kafka's variable-length integers: zigzag, seven bits a byte, least significant first. */

/** Reads forward through one buffer. Reading past the end throws a RangeError. */
export class Cursor {
  readonly bytes: Buffer
  at: number

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes
    this.at = at
  }

  byte(): number {
    const byte = this.bytes[this.at++]
    if (byte === undefined) throw new RangeError(`record data ends at byte ${this.bytes.length}`)
    return byte
  }

  /** A 32-bit integer: five bytes at most. */
  varint(): number {
    let value = 0
    let shift = 0
    let byte: number
    do {
      if (shift > 28) throw new RangeError('an integer has more than five bytes')
      byte = this.byte()
      value |= (byte & 0x7f) << shift
      shift += 7
    } while (byte >= 0x80)
    return (value >>> 1) ^ -(value & 1)
  }

  /** An integer of up to five bytes without a sign, as Snappy writes it. */
  unsigned(): number {
    let value = 0
    let scale = 1
    let byte: number
    do {
      if (scale > 2 ** 28) throw new RangeError('an integer has more than five bytes')
      byte = this.byte()
      value += (byte & 0x7f) * scale
      scale *= 128
    } while (byte >= 0x80)
    return value
  }

  /** How many of something follow that take so many bytes each at least. */
  count(bytesEach: number): number {
    const count = this.varint()
    if (count < 0 || count * bytesEach > this.bytes.length - this.at)
      throw new RangeError(`${count} cannot follow here`)
    return count
  }

  /** A 64-bit integer, exact: a number where it is a safe one. */
  varlong(): number | bigint {
    const start = this.at
    let value = 0
    let scale = 1
    let byte: number
    do {
      if (scale > 2 ** 63) throw new RangeError('an integer has more than ten bytes')
      byte = this.byte()
      value += (byte & 0x7f) * scale
      scale *= 128
    } while (byte >= 0x80)
    if (!Number.isSafeInteger(value)) return this.#long(start)
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  /** The one between `start` and here. */
  #long(start: number): number | bigint {
    let coded = 0n
    for (let at = this.at - 1; at >= start; at--) coded = (coded << 7n) | BigInt((this.bytes[at] ?? 0) & 0x7f)
    const value = BigInt.asIntN(64, (coded >> 1n) ^ -(coded & 1n))
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : value
  }

  /** A length and as many bytes, without copying; null where the length is -1. */
  varbytes(): Buffer | null {
    const length = this.varint()
    if (length === -1) return null
    if (length < 0) throw new RangeError(`a length of ${length}`)
    const end = this.at + length
    if (end > this.bytes.length) throw new RangeError(`record data ends at byte ${this.bytes.length}`)
    const slice = this.bytes.subarray(this.at, end)
    this.at = end
    return slice
  }
}

const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value)

/** The usual case, and the quick one. */
const isInt32 = (value: number | bigint): value is number => typeof value === 'number' && (value | 0) === value

const zigzag64 = (value: bigint): bigint => BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))

/** Bytes that `writeVarlong` takes. */
export function varlongSize(value: number | bigint): number {
  if (isInt32(value)) return varintSize(value)
  if (typeof value === 'bigint') return Math.max(1, Math.ceil(zigzag64(value).toString(2).length / 7))
  let rest = zigzag(value)
  let size = 1
  for (; rest >= 128; rest = Math.floor(rest / 128)) size++
  return size
}

/** Writes an integer, a number only within ±2^52, and returns the position behind it. 32-bit and 64-bit ones look the same. */
export function writeVarlong(bytes: Buffer, at: number, value: number | bigint): number {
  if (isInt32(value)) return writeVarint(bytes, at, value)
  if (typeof value === 'bigint') return writeLong(bytes, at, value)
  let rest = zigzag(value)
  let position = at
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes[position++] = (rest % 128) | 0x80
  bytes[position++] = rest
  return position
}

function writeLong(bytes: Buffer, at: number, value: bigint): number {
  let rest = zigzag64(value)
  let position = at
  for (; rest >= 128n; rest >>= 7n) bytes[position++] = Number(rest & 0x7fn) | 0x80
  bytes[position++] = Number(rest)
  return position
}

/** Bytes that `writeVarint` takes. */
export function varintSize(value: number): number {
  const coded = ((value << 1) ^ (value >> 31)) >>> 0
  if (coded < 0x80) return 1
  if (coded < 0x4000) return 2
  if (coded < 0x200000) return 3
  return coded < 0x10000000 ? 4 : 5
}

/** Writes a 32-bit integer and returns the position behind it. */
export function writeVarint(bytes: Buffer, at: number, value: number): number {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0
  let position = at
  for (; rest >= 0x80; rest >>>= 7) bytes[position++] = (rest & 0x7f) | 0x80
  bytes[position++] = rest
  return position
}
