/**
 * The rules of a structural schema, plus one of ours: everything a person writes has a bound, so that the API server can
 * estimate what the CEL rules cost, and no object can be made to hold megabytes.
 */
import type { JsonSchema } from './json-schema.ts'

const types = new Set(['object', 'array', 'string', 'integer', 'number', 'boolean'])

/** What a structural schema may not hold anywhere. */
const forbidden = [
  '$ref',
  '$defs',
  'definitions',
  'oneOf',
  'anyOf',
  'allOf',
  'not',
  'const',
  'propertyNames',
  'id',
  'deprecated',
]

/** Throws a TypeError that names the path at fault. */
export function assertStructural(root: JsonSchema): void {
  for (const [name, schema] of Object.entries(root.properties ?? {})) {
    // The API server owns metadata, apiVersion and kind.
    if (name === 'spec' || name === 'status') check(schema, name)
  }
}

function check(schema: JsonSchema, path: string): void {
  const problem = problemsOf(schema)[0]
  if (problem !== undefined) throw new TypeError(`${path}: ${problem}`)
  for (const [name, property] of Object.entries(schema.properties ?? {})) check(property, `${path}.${name}`)
  if (schema.items !== undefined) check(schema.items, `${path}[]`)
  if (typeof schema.additionalProperties === 'object') check(schema.additionalProperties, `${path}.*`)
}

function problemsOf(schema: JsonSchema): readonly string[] {
  return [
    ...forbidden.filter((keyword) => keyword in schema).map((keyword) => `a structural schema cannot hold ${keyword}`),
    ...typeProblems(schema),
    ...boundProblems(schema),
  ]
}

function typeProblems(schema: JsonSchema): readonly string[] {
  if (schema['x-kubernetes-int-or-string'] === true)
    return schema.type === undefined ? [] : ['int-or-string goes without type']
  if (!types.has(schema.type ?? '')) return [`type is ${schema.type ?? 'missing'}`]
  if (schema.type === 'array' && schema.items === undefined) return ['an array needs items']
  return schema.type === 'object' ? objectProblems(schema) : []
}

function objectProblems(schema: JsonSchema): readonly string[] {
  const problems: string[] = []
  if (schema.properties !== undefined && schema.additionalProperties !== undefined)
    problems.push('properties and additionalProperties exclude each other')
  if (typeof schema.additionalProperties === 'boolean') problems.push('additionalProperties must be a schema')
  for (const name of schema.required ?? []) {
    if (schema.properties?.[name] === undefined) problems.push(`required ${name} is no property`)
    if (isObject(schema.default) && !(name in schema.default)) problems.push(`the default lacks the required ${name}`)
  }
  return problems
}

function boundProblems(schema: JsonSchema): readonly string[] {
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) return []
  const unbounded = {
    string: schema.maxLength === undefined && schema.enum === undefined && schema.format !== 'date-time' && 'maxLength',
    array: schema.maxItems === undefined && 'maxItems',
    object: schema.additionalProperties !== undefined && schema.maxProperties === undefined && 'maxProperties',
  }
  const missing = unbounded[schema.type as keyof typeof unbounded] ?? false
  return missing === false ? [] : [`needs ${missing}`]
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
