import { Duration, Optional, Type, UnsignedInt } from './cel-types.ts'
import { Unfit } from '../values/unfit.ts'
import { ExactNumber, setOwn, type Value, type ValueObject } from '../values/value.ts'

/** Characters and elements of a result, about its bytes: an expression may put a record into each element of a list. */
const largest = 64 * 1024 * 1024

/**
 * What CEL computed as a value of a record, a copy of its own. Integers are exact, times are RFC 3339, bytes within an object are
 * base64. Undefined: an optional that is empty.
 */
export function asValue(result: unknown): Value | undefined {
  if (result instanceof Optional) return result.hasValue() ? asValue(result.value()) : undefined
  return result instanceof Uint8Array ? result : new Copy().of(result)
}

class Copy {
  #left = largest

  of(result: unknown): Value {
    this.#take(typeof result === 'string' ? result.length : 1)
    if (result === null || typeof result === 'string' || typeof result === 'boolean') return result
    if (typeof result === 'bigint') return integer(result)
    if (typeof result === 'object') return this.#object(result)
    if (typeof result === 'number' && Number.isFinite(result)) return result
    throw new Unfit('ExpressionFailed', 'the result is no value')
  }

  #take(size: number): void {
    this.#left -= size
    if (this.#left < 0) throw new Unfit('ValueTooLarge', 'the result is too large')
  }

  #object(result: object): Value {
    if (Array.isArray(result)) return result.map((part) => this.#part(part) ?? null)
    if (result instanceof Map) return this.#fields(result)
    const prototype: unknown = Object.getPrototypeOf(result)
    return prototype === Object.prototype || prototype === null
      ? this.#fields(Object.entries(result))
      : scalarOf(result)
  }

  /** Undefined: an optional that is empty. In a list it leaves a hole, which is null. */
  #part(part: unknown): Value | undefined {
    if (!(part instanceof Optional)) return this.of(part)
    return part.hasValue() ? this.#part(part.value()) : undefined
  }

  #fields(entries: Iterable<readonly [unknown, unknown]>): ValueObject {
    const object: ValueObject = {}
    for (const [name, part] of entries) {
      this.#take(String(name).length)
      const value = this.#part(part)
      if (value !== undefined) setOwn(object, String(name), value)
    }
    return object
  }
}

const integer = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value

function scalarOf(result: object): Value {
  if (result instanceof ExactNumber) return result
  if (result instanceof Date) return time(result)
  if (result instanceof Uint8Array) return Buffer.from(result).toString('base64')
  if (result instanceof UnsignedInt) return integer(result.valueOf() as unknown as bigint)
  if (result instanceof Duration) return result.toString()
  if (result instanceof Type) throw new Unfit('ExpressionFailed', 'the result is a type, not a value')
  throw new Unfit('ExpressionFailed', 'the result is no value')
}

function time(date: Date): string {
  if (Number.isNaN(date.getTime())) throw new Unfit('ExpressionFailed', 'the result is no time')
  return date.toISOString()
}
