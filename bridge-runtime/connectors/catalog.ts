/** Every connector, one line each. The API, the operator, the runtime and the docs all read this list. */
import type { z } from 'zod'
import { consoleConnector } from './console/index.ts'
import type { ConnectorDefinition, SinkDefinition, SourceDefinition } from './define-connector.ts'
import { eventHubs } from './event-hubs/index.ts'
import { file } from './file/index.ts'
import { generator } from './generator/index.ts'
import { kafka } from './kafka/index.ts'
import { kinesis } from './kinesis/index.ts'
import { pubsub } from './pubsub/index.ts'

export const catalog = { kafka, kinesis, pubsub, eventHubs, generator, console: consoleConnector, file } as const

type Catalog = typeof catalog
type Role = 'source' | 'sink'
type Names<R extends Role> = { [N in keyof Catalog]: R extends keyof Catalog[N] ? N : never }[keyof Catalog]
type SchemaOf<Definition, R extends Role> =
  Definition extends Readonly<Record<R, { readonly schema: infer S extends z.ZodType }>> ? S : never

/** The configuration schemas of every connector that can play the role, by connector name. */
function schemas<R extends Role>(role: R): { [N in Names<R>]: SchemaOf<Catalog[N], R> } {
  const entries = Object.entries<ConnectorDefinition>(catalog).flatMap(([name, definition]) => {
    const schema = definition[role]?.schema
    return schema === undefined ? [] : [[name, schema] as const]
  })
  return Object.fromEntries(entries) as { [N in Names<R>]: SchemaOf<Catalog[N], R> }
}

export const sourceSchemas = schemas('source')
export const sinkSchemas = schemas('sink')

type One = Readonly<Record<string, unknown>>

/** The connector a union names, with its configuration: `{ kafka: {...} }` → kafka. */
function memberOf(union: One): [ConnectorDefinition, unknown] {
  const entry = Object.entries(union).find(([, config]) => config !== undefined)
  if (entry === undefined) throw new TypeError('a source or sink with no member set')
  const definition = (catalog as Readonly<Record<string, unknown>>)[entry[0]]
  if (definition === undefined) throw new TypeError(`no connector named ${entry[0]}`)
  return [definition as ConnectorDefinition, entry[1]]
}

export interface Chosen<Definition> {
  /** `kafka`, `kinesis`, ... */
  readonly type: string
  readonly definition: Definition
  readonly config: unknown
}

/** Which source a spec names. Throws a TypeError where it has none: the schema refuses that before. */
export function sourceOf(union: One): Chosen<SourceDefinition> {
  const [{ name, source }, config] = memberOf(union)
  if (source === undefined) throw new TypeError(`${name} cannot be a source`)
  return { type: name, definition: source, config }
}

/** Which sink a spec names. Throws a TypeError where it has none: the schema refuses that before. */
export function sinkOf(union: One): Chosen<SinkDefinition> {
  const [{ name, sink }, config] = memberOf(union)
  if (sink === undefined) throw new TypeError(`${name} cannot be a sink`)
  return { type: name, definition: sink, config }
}
