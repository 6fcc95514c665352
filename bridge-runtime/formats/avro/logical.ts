/** Texts of Avro's logical types, both ways, with every digit. Undefined, or null: the text is none of the type. */

/** Unscaled bytes (two's complement) as a decimal number. */
export function decimalText(bytes: Uint8Array, scale: number): string {
  const size = BigInt(bytes.length * 8)
  const unscaled =
    bytes.length === 0 ? 0n : BigInt.asIntN(Number(size), BigInt(`0x${Buffer.from(bytes).toString('hex')}`))
  const sign = unscaled < 0n ? '-' : ''
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  return scale === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

const decimalForm = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d{1,3}))?$/

/** Undefined: it is no number, has more digits than the precision, or more behind the point than the scale. */
export function decimalUnscaled(text: string, precision: number, scale: number): bigint | undefined {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = decimalForm.exec(text) ?? []
  if (whole === '') return undefined
  const shift = scale + Number(exponent) - fraction.length
  const digits = BigInt(`${whole}${fraction}`)
  const unscaled = shift >= 0 ? digits * 10n ** BigInt(shift) : wholePart(digits, 10n ** BigInt(-shift))
  if (unscaled === undefined || String(unscaled).length > precision) return undefined
  return sign === '-' ? -unscaled : unscaled
}

const wholePart = (digits: bigint, divisor: bigint): bigint | undefined =>
  digits % divisor === 0n ? digits / divisor : undefined

/** Two's complement, as few bytes as possible, or so many; undefined where it does not fit. */
export function twosComplement(value: bigint, size?: number): Buffer | undefined {
  let length = size ?? 1
  const fits = (): boolean => value >= -(1n << BigInt(length * 8 - 1)) && value < 1n << BigInt(length * 8 - 1)
  if (size === undefined) while (!fits()) length += 1
  else if (!fits()) return undefined
  return Buffer.from(
    BigInt.asUintN(length * 8, value)
      .toString(16)
      .padStart(length * 2, '0'),
    'hex',
  )
}

/** Digits behind the second of each unit. */
const unitDigits: Readonly<Record<string, number>> = { millis: 3, micros: 6, nanos: 9 }
const digitsOf = (logical: string): number => unitDigits[logical.slice(logical.lastIndexOf('-') + 1)] ?? 3

/** RFC 3339, with all digits of the unit; without a zone for a local time. Undefined beyond the year 9999. */
export function timestampText(value: number | bigint, logical: string): string | undefined {
  const digits = digitsOf(logical)
  const perSecond = 10n ** BigInt(digits)
  const exact = BigInt(value)
  const second = floorDivide(exact, perSecond)
  const date = new Date(Number(second) * 1000)
  if (second < -62_167_219_200n || second > 253_402_300_799n) return undefined
  const fraction = String(exact - second * perSecond).padStart(digits, '0')
  return `${date.toISOString().slice(0, 19)}.${fraction}${logical.startsWith('local') ? '' : 'Z'}`
}

const floorDivide = (value: bigint, divisor: bigint): bigint => {
  const quotient = value / divisor
  return value < 0n && quotient * divisor !== value ? quotient - 1n : quotient
}

const timestampForm = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[-+]\d\d:\d\d)?$/

export function timestampValue(text: string, logical: string): bigint | undefined {
  const [, whole, fraction = '', zone] = timestampForm.exec(text) ?? []
  const local = logical.startsWith('local')
  if (whole === undefined || local !== (zone === undefined)) return undefined
  const digits = digitsOf(logical)
  if (/[1-9]/.test(fraction.slice(digits))) return undefined
  const milliseconds = Date.parse(`${whole}${zone ?? 'Z'}`)
  if (Number.isNaN(milliseconds)) return undefined
  return BigInt(milliseconds / 1000) * 10n ** BigInt(digits) + BigInt(fraction.slice(0, digits).padEnd(digits, '0'))
}

const day = 86_400_000

export function dateText(days: number): string | undefined {
  const date = new Date(days * day)
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() < 0 || date.getUTCFullYear() > 9999) return undefined
  return date.toISOString().slice(0, 10)
}

export function dateValue(text: string): number | undefined {
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== text ? undefined : time / day
}

/** `08:30:00.000`; undefined for what is no time of a day. */
export function timeText(value: number | bigint, logical: string): string | undefined {
  const digits = digitsOf(logical)
  const perSecond = 10n ** BigInt(digits)
  const exact = BigInt(value)
  if (exact < 0n || exact >= 86_400n * perSecond) return undefined
  const seconds = Number(exact / perSecond)
  const fraction = String(exact % perSecond).padStart(digits, '0')
  return `${new Date(seconds * 1000).toISOString().slice(11, 19)}.${fraction}`
}

export function timeValue(text: string, logical: string): bigint | undefined {
  const [, hour, minute, second, fraction = ''] =
    /^([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,9}))?$/.exec(text) ?? []
  if (hour === undefined) return undefined
  const digits = digitsOf(logical)
  if (/[1-9]/.test(fraction.slice(digits))) return undefined
  const seconds = BigInt(Number(hour) * 3600 + Number(minute) * 60 + Number(second))
  return seconds * 10n ** BigInt(digits) + BigInt(fraction.slice(0, digits).padEnd(digits, '0'))
}

/** The shortest decimal number that is this float: 0.1 and not 0.10000000149011612. */
export function floatNumber(value: number): number {
  if (!Number.isFinite(value)) return value
  for (let precision = 6; precision < 9; precision += 1) {
    const short = Number(value.toPrecision(precision))
    if (Math.fround(short) === value) return short
  }
  return Number(value.toPrecision(9))
}
