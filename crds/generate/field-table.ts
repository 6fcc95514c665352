/** A schema's fields as a Markdown table. */
import type { JsonSchema } from './json-schema.ts'

interface Row {
  readonly path: string
  readonly schema: JsonSchema
  readonly required: boolean
}

/** What has pages of its own is one row. */
const unions = new Set([
  'spec.source',
  'spec.sink',
  'spec.delivery.deadLetter',
  'spec.transforms',
  'spec.decode.value',
  'spec.decode.key',
  'spec.encode.value',
  'spec.encode.key',
])

/** The objects and fields below a schema, in the order in which they are declared. */
export function rowsOf(schema: JsonSchema, at: string): readonly Row[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const path = at === '' ? name : `${at}.${name}`
    const row = { path, schema: property, required: schema.required?.includes(name) ?? false }
    return unions.has(path) || property['x-docs'] !== undefined
      ? [row]
      : [row, ...rowsOf(property, path), ...rowsOf(property.items ?? {}, `${path}[]`)]
  })
}

function typeOf(schema: JsonSchema): string {
  if (schema['x-docs'] !== undefined) return schema['x-docs'].type
  if (schema['x-kubernetes-int-or-string'] === true) return 'integer or string'
  if (schema.type === 'array') return `list of ${typeOf(schema.items ?? {})}`
  if (typeof schema.additionalProperties === 'object') return `map of ${typeOf(schema.additionalProperties)}`
  return schema.format === 'date-time' ? 'time' : (schema.type ?? 'any')
}

const limitNames = [
  ['minimum', '≥ '],
  ['maximum', '≤ '],
  ['minLength', 'length ≥ '],
  ['maxLength', 'length ≤ '],
  ['minItems', 'items ≥ '],
  ['maxItems', 'items ≤ '],
  ['maxProperties', 'keys ≤ '],
] as const

function limitsOf(schema: JsonSchema): string {
  if (schema['x-docs'] !== undefined) return schema['x-docs'].limits ?? ''
  const oneOf = schema.enum === undefined ? [] : [schema.enum.map((each) => `\`${String(each)}\``).join(', ')]
  const bounds = limitNames.flatMap(([name, text]) => (schema[name] === undefined ? [] : [`${text}${schema[name]}`]))
  const rules = [schema, schema.items ?? {}].flatMap((each) => each['x-kubernetes-validations'] ?? [])
  return [...oneOf, ...bounds, ...rules.map(({ message }) => message)].join('; ')
}

/** A default that is an object only repeats the defaults of its fields. */
function defaultOf({ schema, required }: Row): string {
  if (required) return '*required*'
  if (schema.default === undefined || typeof schema.default === 'object') return ''
  return `\`${JSON.stringify(schema.default).replaceAll('"', '')}\``
}

export const cell = (text: string): string => text.replaceAll('|', '\\|')

export function table(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const cells = [
      `\`${row.path}\``,
      typeOf(row.schema),
      defaultOf(row),
      limitsOf(row.schema),
      row.schema.description ?? '',
    ]
    return `| ${cells.map(cell).join(' | ')} |`
  })
  return ['| Field | Type | Default | Limits | Description |', '|---|---|---|---|---|', ...lines].join('\n')
}
