/** One text and one hash for equal values, whatever the order of their fields. */
import { createHash } from 'node:crypto'

const sorted = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value

/** Empty for undefined. */
export const canonicalJson = (value: unknown, indent?: number): string => JSON.stringify(value, sorted, indent) ?? ''

/** 128 bits of SHA-256, in hexadecimal. */
export const hashOf = (value: unknown): string =>
  createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 32)

type Plain<T> = T extends readonly (infer Item)[]
  ? readonly Plain<Item>[]
  : T extends object
    ? { [Field in keyof T]: Plain<Exclude<T[Field], undefined>> }
    : T

/** A copy without the fields that hold undefined or null: the API server drops them, so they would always differ. */
export const plain = <T>(value: T): Plain<T> =>
  JSON.parse(JSON.stringify(value, (_, member: unknown) => member ?? undefined)) as Plain<T>
