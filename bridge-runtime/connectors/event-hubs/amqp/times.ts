/** Times as AMQP has them: milliseconds since 1970 in 64 bits, which is more than a Date holds. */

/** The calendar repeats itself after so many years, which are so many milliseconds. */
const cycleYears = 400n
const cycle = 146_097n * 86_400_000n

/** ISO 8601 in UTC, with milliseconds; a year beyond four digits has a sign and six digits or more. */
export function timeText(milliseconds: bigint): string {
  const cycles = milliseconds / cycle - (milliseconds % cycle < 0n ? 1n : 0n)
  const within = new Date(Number(milliseconds - cycles * cycle))
  const year = BigInt(within.getUTCFullYear()) + cycles * cycleYears
  return `${yearText(year)}${within.toISOString().slice(4)}`
}

function yearText(year: bigint): string {
  if (year >= 0n && year <= 9_999n) return String(year).padStart(4, '0')
  const [sign, digits] = year < 0n ? ['-', -year] : ['+', year]
  return sign + String(digits).padStart(6, '0')
}
