/** Avro schemas (https://avro.apache.org/docs/1.12.0/specification/), names resolved. */

interface Plain {
  readonly kind: 'null' | 'boolean' | 'float' | 'double' | 'string'
}

interface Whole {
  readonly kind: 'int' | 'long'
  readonly logical?: string | undefined
}

/** Of a decimal, how many digits there are, and how many of them behind the point. */
interface Bytes {
  readonly logical?: string | undefined
  readonly precision?: number | undefined
  readonly scale?: number | undefined
}

export type BytesNode =
  | (Bytes & { readonly kind: 'bytes' })
  | (Bytes & { readonly kind: 'fixed'; readonly name: string; readonly size: number })

export interface Field {
  readonly name: string
  readonly type: Node
  /** In the JSON of Avro's defaults; undefined where there is none. */
  readonly standard: unknown
}

export interface RecordNode {
  readonly kind: 'record'
  readonly name: string
  readonly fields: Field[]
}

export type Node =
  | Plain
  | Whole
  | BytesNode
  | { readonly kind: 'enum'; readonly name: string; readonly symbols: readonly string[] }
  | { readonly kind: 'array'; readonly items: Node }
  | { readonly kind: 'map'; readonly values: Node }
  | { readonly kind: 'union'; readonly branches: readonly Node[] }
  | RecordNode

/** A text that is no Avro schema: the message says where and what. */
export class SchemaError extends Error {}

const plain: ReadonlySet<string> = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'])
const nameForm = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/

type Json = Readonly<Record<string, unknown>>

interface Scope {
  readonly names: Map<string, Node>
  readonly namespace: string
  readonly place: string
}

/** Throws a SchemaError. */
export function parseSchema(text: string): Node {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    // The name of a type alone is a schema too.
    json = text.trim()
  }
  return nodeOf(json, { names: new Map(), namespace: '', place: 'the schema' })
}

function nodeOf(schema: unknown, scope: Scope): Node {
  if (typeof schema === 'string') return named(schema, scope)
  if (Array.isArray(schema)) return union(schema, scope)
  if (typeof schema !== 'object' || schema === null) throw new SchemaError(`${scope.place} is no schema`)
  const json = schema as Json
  const { type } = json
  if (typeof type === 'object') return nodeOf(type, scope)
  if (typeof type !== 'string') throw new SchemaError(`${scope.place} has no type`)
  const compose = composed[type]
  if (compose !== undefined) return compose(json, scope)
  return plain.has(type) ? ({ kind: type, ...logicalOf(type, json) } as Node) : named(type, scope)
}

const composed: Readonly<Record<string, (json: Json, scope: Scope) => Node>> = {
  record,
  error: record,
  enum: (json, scope) =>
    remember(json, scope, (name) => ({ kind: 'enum', name, symbols: textsOf(json['symbols'], scope) })),
  fixed: (json, scope) =>
    remember(json, scope, (name) => ({
      kind: 'fixed',
      name,
      size: sizeOf(json['size'], scope),
      ...logicalOf('fixed', json),
    })),
  array: (json, scope) => ({
    kind: 'array',
    items: nodeOf(json['items'], { ...scope, place: `items of ${scope.place}` }),
  }),
  map: (json, scope) => ({
    kind: 'map',
    values: nodeOf(json['values'], { ...scope, place: `values of ${scope.place}` }),
  }),
}

function named(name: string, { names, namespace, place }: Scope): Node {
  if (plain.has(name)) return { kind: name } as Node
  const found = names.get(fullName(name, namespace)) ?? names.get(name)
  if (found === undefined) throw new SchemaError(`${place} names a type that is not defined before it`)
  return found
}

const fullName = (name: string, namespace: string): string =>
  name.includes('.') || namespace === '' ? name : `${namespace}.${name}`

function nameOf({ name, namespace }: Json, scope: Scope): string {
  if (typeof name !== 'string' || !nameForm.test(name))
    throw new SchemaError(`${scope.place} has no name that Avro allows`)
  return fullName(name, typeof namespace === 'string' ? namespace : scope.namespace)
}

function remember(json: Json, scope: Scope, make: (name: string) => Node): Node {
  const name = nameOf(json, scope)
  if (scope.names.has(name)) throw new SchemaError(`${name} is defined twice`)
  const node = make(name)
  scope.names.set(name, node)
  return node
}

function record(json: Json, scope: Scope): Node {
  const fields: Field[] = []
  const node = remember(json, scope, (name) => ({ kind: 'record', name, fields })) as RecordNode
  const namespace = node.name.includes('.') ? node.name.slice(0, node.name.lastIndexOf('.')) : ''
  if (!Array.isArray(json['fields'])) throw new SchemaError(`${node.name} has no fields`)
  for (const field of json['fields'] as readonly Json[]) {
    const { name } = field
    if (typeof name !== 'string' || !nameForm.test(name))
      throw new SchemaError(`a field of ${node.name} has no name that Avro allows`)
    if (fields.some((one) => one.name === name)) throw new SchemaError(`${node.name} has the field ${name} twice`)
    const type = nodeOf(field['type'], { ...scope, namespace, place: `the field ${name} of ${node.name}` })
    fields.push({ name, type, standard: field['default'] })
  }
  return node
}

function union(schemas: readonly unknown[], scope: Scope): Node {
  const branches = schemas.map((schema) => nodeOf(schema, scope))
  if (branches.length === 0 || branches.some(({ kind }) => kind === 'union'))
    throw new SchemaError(`the union of ${scope.place} is empty, or holds a union`)
  return { kind: 'union', branches }
}

/** The logical types that each type can have. One that does not fit is left out, as the specification says. */
const logicalTypes: Readonly<Record<string, readonly string[]>> = {
  int: ['date', 'time-millis'],
  long: [
    'time-micros',
    ...['', 'local-'].flatMap((local) => ['millis', 'micros', 'nanos'].map((unit) => `${local}timestamp-${unit}`)),
  ],
  bytes: ['decimal'],
  fixed: ['decimal', 'duration'],
}

function logicalOf(kind: string, json: Json) {
  const { logicalType, size } = json
  if (typeof logicalType !== 'string' || logicalTypes[kind]?.includes(logicalType) !== true) return {}
  if (logicalType === 'decimal') return decimalOf(json)
  return logicalType === 'duration' && size !== 12 ? {} : { logical: logicalType }
}

function decimalOf({ precision, scale = 0 }: Json) {
  const whole =
    typeof precision === 'number' && typeof scale === 'number' && [precision, scale].every(Number.isSafeInteger)
  return whole && precision > 0 && scale >= 0 && scale <= precision ? { logical: 'decimal', precision, scale } : {}
}

function textsOf(value: unknown, { place }: Scope): readonly string[] {
  if (Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string')) return value
  throw new SchemaError(`${place} has no symbols`)
}

function sizeOf(value: unknown, { place }: Scope): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= 16_777_216) return value
  throw new SchemaError(`${place} has no size`)
}
