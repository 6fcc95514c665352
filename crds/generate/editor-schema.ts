/** The JSON Schema of a StreamBridge for editors (yaml-language-server): completion, descriptions and faults while a person writes. */
import { apiVersion, kind } from '../schema/streambridge.ts'
import { rootSchema } from './crd.ts'
import type { JsonSchema } from './json-schema.ts'

type Schema = Readonly<Record<string, unknown>>

const union = /^set exactly one of: (.*)$/

/** Of fields of which exactly one is set; none where the rule says more than their names. */
function membersOf({ properties = {}, 'x-kubernetes-validations': rules = [] }: JsonSchema): readonly string[] {
  const names = rules.flatMap(({ message }) => union.exec(message)?.[1]?.split(', ') ?? [])
  return names.every((name) => name in properties) ? names : []
}

/** What editors know: JSON Schema without what only the API server reads. */
function forEditors(schema: JsonSchema): Schema {
  const { properties, items, additionalProperties, ...rest } = schema
  const plain = Object.fromEntries(
    Object.entries(rest).filter(([name]) => !name.startsWith('x-kubernetes-') && name !== 'nullable'),
  )
  const members = membersOf(schema)
  const isOpen = schema['x-kubernetes-preserve-unknown-fields'] === true
  return {
    ...plain,
    ...(schema['x-kubernetes-int-or-string'] === true && { type: ['integer', 'string'] }),
    ...(members.length > 0 && { oneOf: members.map((name) => ({ required: [name] })) }),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, forEditors(field)])),
      ...(!isOpen && { additionalProperties: false }),
    }),
    ...(typeof items === 'object' && { items: forEditors(items) }),
    ...(typeof additionalProperties === 'object' && { additionalProperties: forEditors(additionalProperties) }),
  }
}

/** A file may hold Secrets and other kinds beside: only a StreamBridge is looked at. */
export function editorSchema(): Schema {
  const { properties = {}, description } = rootSchema()
  const { spec, status } = properties as Readonly<Record<'spec' | 'status', JsonSchema>>
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: kind,
    type: 'object',
    required: ['apiVersion', 'kind', 'metadata'],
    properties: { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { type: 'object' } },
    if: { properties: { kind: { const: kind } } },
    // oxlint-disable-next-line no-thenable -- the word of JSON Schema
    then: {
      description,
      required: ['spec'],
      properties: {
        apiVersion: { const: apiVersion },
        kind: { const: kind },
        metadata: { type: 'object', required: ['name'] },
        spec: forEditors(spec),
        status: forEditors(status),
      },
      additionalProperties: false,
    },
  }
}
