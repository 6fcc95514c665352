/**
 * What a record's key or value is while steps work on it: the shapes of JSON, with exact numbers, or bytes that nobody looks into.
 * Integers beyond 2^53 are `bigint`; a decimal that a double would change is an `ExactNumber`. Bytes stand only at the top.
 */
export type Value = null | boolean | number | bigint | string | ExactNumber | Uint8Array | Value[] | ValueObject

export interface ValueObject {
  [name: string]: Value
}

/** A number as it was written, which no double holds: `1.234567890123456789`, `1e400`. */
export class ExactNumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  /** JSON.stringify writes it as it is. */
  toJSON(): unknown {
    return rawJSON(this.text)
  }
}

/** ECMAScript's JSON.rawJSON, which TypeScript does not declare yet. */
export const rawJSON = (text: string): unknown => (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text)

export const isObject = (value: Value | undefined): value is ValueObject =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Uint8Array) &&
  !(value instanceof ExactNumber)

/** What a person calls it, in messages: never the value itself. */
export function nameOf(value: Value | undefined): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (value instanceof Uint8Array) return 'bytes'
  if (typeof value === 'boolean') return 'a boolean'
  if (typeof value === 'string') return 'a text'
  return isObject(value) ? 'an object' : 'a number'
}

/** A value of its own: changing it changes nothing else. */
export function copyOf(value: Value): Value {
  if (Array.isArray(value)) return value.map(copyOf)
  if (!isObject(value)) return value
  const copy: ValueObject = {}
  for (const [name, field] of Object.entries(value)) setOwn(copy, name, copyOf(field))
  return copy
}

/** Sets a field of an object's own, whatever its name is: `__proto__` too. */
export function setOwn(object: ValueObject, name: string, value: Value): void {
  if (name === '__proto__')
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
  else object[name] = value
}

export const ownField = (object: ValueObject, name: string): Value | undefined =>
  Object.hasOwn(object, name) ? object[name] : undefined
