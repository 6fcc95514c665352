/** Times of records as services hold them: whole milliseconds in 64 bits. A source may tell any number. */

const beyond = 2 ** 63

/** The nearest time that 64 bits hold; undefined: none. 2^63 stands for the greatest, which is one less: a number cannot be it. */
export const wholeTime = (timestamp: number): number | undefined =>
  Number.isNaN(timestamp) ? undefined : Math.max(-beyond, Math.min(beyond, Math.trunc(timestamp)))

/** The 64 bits of a `wholeTime`. */
export const int64 = (time: number): bigint => (time >= beyond ? 2n ** 63n - 1n : BigInt(time))

/** The time that a text of digits tells; undefined where it tells none that 64 bits hold. */
export function timeIn(text: string): number | undefined {
  if (!/^-?[0-9]{1,19}$/.test(text)) return undefined
  const bits = BigInt(text)
  return BigInt.asIntN(64, bits) === bits ? Number(bits) : undefined
}
