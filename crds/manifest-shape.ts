/** What can be said of a manifest by walking its schema: fields nobody knows, and nulls. */
import type { JsonSchema } from './generate/json-schema.ts'

/** Where a value stands: object keys and array indexes. */
export type Path = readonly PropertyKey[]

/** `spec.source.kafka.topics[0]` */
export const pathText = (path: Path): string =>
  path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index === 0 ? '' : '.'}${String(step)}`))
    .join('')

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

interface Child {
  readonly step: string | number
  readonly value: unknown
  /** Undefined where the schema has no such field. */
  readonly schema: JsonSchema | undefined
}

function childrenOf(value: unknown, schema: JsonSchema): readonly Child[] {
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) return []
  if (Array.isArray(value)) return value.map((item, step) => ({ step, value: item, schema: schema.items ?? {} }))
  if (!isObject(value)) return []
  const { additionalProperties } = schema
  const map = typeof additionalProperties === 'object' ? additionalProperties : undefined
  const open = map === undefined && schema.properties === undefined && schema.type !== 'object'
  return Object.entries(value).map(([step, each]) => ({
    step,
    value: each,
    schema: open ? {} : Object.hasOwn(schema.properties ?? {}, step) ? schema.properties?.[step] : map,
  }))
}

/** Paths of all fields that the schema lacks. */
export function unknownFields(value: unknown, schema: JsonSchema, at: Path = []): readonly Path[] {
  return childrenOf(value, schema).flatMap((child) => {
    const path = [...at, child.step]
    return child.schema === undefined ? [path] : unknownFields(child.value, child.schema, path)
  })
}

export interface Overfull {
  readonly path: Path
  readonly size: number
  readonly limit: number
}

/** Maps with more keys than allowed: zod has no such check. */
export function overfullMaps(value: unknown, schema: JsonSchema, at: Path = []): readonly Overfull[] {
  const size = isObject(value) ? Object.keys(value).length : 0
  const limit = schema.maxProperties ?? size
  const below = childrenOf(value, schema).flatMap((child) =>
    child.schema === undefined ? [] : overfullMaps(child.value, child.schema, [...at, child.step]),
  )
  return size > limit ? [{ path: at, size, limit }, ...below] : below
}

/** Paths of all fields that are null. The API server takes them as absent. */
export function nullFields(value: unknown, at: Path = []): readonly Path[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => nullFields(item, [...at, index]))
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([name, each]) =>
    each === null ? [[...at, name]] : nullFields(each, [...at, name]),
  )
}

/** The same without fields that are null. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, each]) => (each === null ? [] : [[name, withoutNulls(each)]])),
  )
}

/** The value at a path; undefined where there is none. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (current, step) =>
      typeof current === 'object' && current !== null ? (current as Record<PropertyKey, unknown>)[step] : undefined,
    value,
  )
}

/** True when the last step of the path is a key that the person chose, as in a map of labels. */
export function isMapKey(schema: JsonSchema, path: Path): boolean {
  let current: JsonSchema | undefined = schema
  for (const step of path.slice(0, -1)) {
    const map: JsonSchema | undefined =
      typeof current?.additionalProperties === 'object' ? current.additionalProperties : undefined
    current = typeof step === 'number' ? current?.items : (current?.properties?.[String(step)] ?? map)
  }
  return typeof current?.additionalProperties === 'object'
}
