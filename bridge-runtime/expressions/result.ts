import { Duration, Optional, Type, UnsignedInt } from './cel-types.ts'
import { Unfit } from '../values/unfit.ts'
import { ExactNumber, setOwn, type Value, type ValueObject } from '../values/value.ts'

/**
 * What CEL computed as a value of a record, a copy of its own. Integers are exact, times are RFC 3339, bytes within an object are
 * base64. Undefined: an optional that is empty.
 */
export function asValue(result: unknown): Value | undefined {
  if (result instanceof Optional) return result.hasValue() ? asValue(result.value()) : undefined
  return result instanceof Uint8Array ? result : within(result)
}

function within(result: unknown): Value {
  if (result === null || typeof result === 'string' || typeof result === 'boolean') return result
  if (typeof result === 'bigint') return integer(result)
  if (typeof result === 'object') return objectOf(result)
  if (typeof result === 'number' && Number.isFinite(result)) return result
  throw new Unfit('ExpressionFailed', 'the result is no value')
}

const integer = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value

function objectOf(result: object): Value {
  if (Array.isArray(result)) return result.map(element)
  if (result instanceof ExactNumber) return result
  if (result instanceof Date) return time(result)
  if (result instanceof Uint8Array) return Buffer.from(result).toString('base64')
  if (result instanceof UnsignedInt) return integer(result.valueOf() as unknown as bigint)
  if (result instanceof Optional || result instanceof Type)
    throw new Unfit('ExpressionFailed', 'the result is a type or an optional, not a value')
  if (result instanceof Map) return fieldsOf(result)
  const prototype: unknown = Object.getPrototypeOf(result)
  if (prototype === Object.prototype || prototype === null) return fieldsOf(Object.entries(result))
  if (result instanceof Duration) return result.toString()
  throw new Unfit('ExpressionFailed', 'the result is no value')
}

/** An optional that is empty leaves a hole: it is null. */
const element = (part: unknown): Value => asValue(part) ?? null

function fieldsOf(entries: Iterable<readonly [unknown, unknown]>): ValueObject {
  const object: ValueObject = {}
  for (const [name, part] of entries) {
    const value =
      part instanceof Optional && !part.hasValue() ? undefined : within(part instanceof Optional ? part.value() : part)
    if (value !== undefined) setOwn(object, String(name), value)
  }
  return object
}

function time(date: Date): string {
  if (Number.isNaN(date.getTime())) throw new Unfit('ExpressionFailed', 'the result is no time')
  return date.toISOString()
}
