/**
 * Times as Kafka has them, any 64-bit integer of milliseconds, and as the bridge has them, numbers: exact within ±2^53 (the year
 * 287,396), rounded to the nearest number beyond. Both ends of the 64 bits come back as they were.
 */
import { int64, wholeTime } from '../../fields/whole-time.ts'

/** What Kafka calls a record without a time. */
const none = -1
/** The difference of two such times is small enough for `writeVarlong` as a number. */
const small = 2 ** 51

/** The nearest time that Kafka holds. Never throws. */
export const kafkaTime = (timestamp: number): number =>
  Number.isSafeInteger(timestamp) ? timestamp : (wholeTime(timestamp) ?? none)

/** From one `kafkaTime` to another; like Java's longs it wraps where 64 bits do not hold it. */
export const timeDelta = (time: number, base: number): number | bigint =>
  Math.abs(time) <= small && Math.abs(base) <= small ? time - base : BigInt.asIntN(64, int64(time) - int64(base))

/** Undoes `timeDelta`. In 64 bits where numbers do not do: a sound time beside an extreme one was rounded otherwise. */
export function timeAfter(base: number | bigint, delta: number | bigint): number {
  if (typeof base === 'number' && typeof delta === 'number') {
    const sum = base + delta
    if (Number.isSafeInteger(sum)) return sum
  }
  return Number(BigInt.asIntN(64, BigInt(base) + BigInt(delta)))
}
