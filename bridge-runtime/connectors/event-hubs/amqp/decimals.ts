/** AMQP's decimals (IEEE 754, with a binary coefficient) as decimal text, exact: digits and exponent as they were written. */

interface Format {
  /** Bits of the exponent, of the coefficient, and what is added to the exponent. */
  readonly exponent: bigint
  readonly coefficient: bigint
  readonly bias: bigint
  readonly digits: bigint
}

/** By the number of bytes. */
const formats: Readonly<Record<number, Format>> = {
  4: { exponent: 8n, coefficient: 23n, bias: 101n, digits: 7n },
  8: { exponent: 10n, coefficient: 53n, bias: 398n, digits: 16n },
  16: { exponent: 14n, coefficient: 113n, bias: 6176n, digits: 34n },
}

const lowest = (bits: bigint, count: bigint): bigint => bits & ((1n << count) - 1n)

/** @param bytes 4, 8 or 16 of them */
export function decimalText(bytes: Buffer): string {
  const format = formats[bytes.length]
  if (format === undefined) throw new RangeError(`no decimal has ${bytes.length} bytes`)
  const bits = BigInt(`0x${bytes.toString('hex')}`)
  const { exponent: exponentBits, coefficient: coefficientBits, bias, digits } = format
  const width = exponentBits + coefficientBits
  const sign = bits >> width === 1n ? '-' : ''
  const head = lowest(bits >> (width - 5n), 5n)
  if (head === 0b11111n) return 'NaN'
  if (head === 0b11110n) return `${sign}Infinity`
  // With two ones in front the exponent stands two bits lower, and the coefficient begins with 100.
  const shifted = head >> 3n === 0b11n
  const at = shifted ? coefficientBits - 2n : coefficientBits
  const exponent = lowest(bits >> at, exponentBits) - bias
  const coefficient = shifted ? (0b100n << at) | lowest(bits, at) : lowest(bits, at)
  // One that is too large for its format stands for zero.
  return sign + scientific(coefficient < 10n ** digits ? coefficient : 0n, Number(exponent))
}

/** The form of the General Decimal Arithmetic, which Java's and Python's decimals print. */
function scientific(coefficient: bigint, exponent: number): string {
  const digits = String(coefficient)
  const adjusted = exponent + digits.length - 1
  if (exponent > 0 || adjusted < -6) {
    const mantissa = digits.length === 1 ? digits : `${digits.slice(0, 1)}.${digits.slice(1)}`
    return `${mantissa}E${adjusted < 0 ? '-' : '+'}${Math.abs(adjusted)}`
  }
  if (exponent === 0) return digits
  const padded = digits.padStart(1 - exponent, '0')
  return `${padded.slice(0, exponent)}.${padded.slice(exponent)}`
}
