/** zod → CustomResourceDefinition. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { docs } from '../kit/rules.ts'
import { status } from '../schema/status.ts'
import { group, kind, plural, schemaHashAnnotation, spec, streamBridge, version } from '../schema/streambridge.ts'
import type { JsonSchema } from './json-schema.ts'
import { assertStructural } from './structural.ts'

interface Column {
  readonly name: string
  readonly type: 'string' | 'integer' | 'date'
  readonly jsonPath: string
  readonly description: string
  /** 1: only with `-o wide`. */
  readonly priority?: 1
}

const ready = (field: string): string => `.status.conditions[?(@.type=="Ready")].${field}`

const columns: readonly Column[] = [
  { name: 'Ready', type: 'string', jsonPath: ready('status'), description: 'Whether records can flow now.' },
  { name: 'Phase', type: 'string', jsonPath: '.status.phase', description: 'One word for it.' },
  { name: 'Source', type: 'string', jsonPath: '.status.source.type', description: 'Kind of source.' },
  { name: 'Sink', type: 'string', jsonPath: '.status.sink.type', description: 'Kind of sink.' },
  { name: 'Replicas', type: 'integer', jsonPath: '.status.replicas', description: 'Replicas that exist.' },
  { name: 'Lag', type: 'string', jsonPath: '.status.lag', description: 'How far behind.' },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Since creation.' },
  {
    name: 'Records',
    type: 'integer',
    jsonPath: '.status.source.lagRecords',
    description: 'Records behind.',
    priority: 1,
  },
  {
    name: 'In/s',
    type: 'string',
    jsonPath: '.status.throughput.inPerSecond',
    description: 'Records read.',
    priority: 1,
  },
  {
    name: 'Out/s',
    type: 'string',
    jsonPath: '.status.throughput.outPerSecond',
    description: 'Records delivered.',
    priority: 1,
  },
  {
    name: 'Partitions',
    type: 'integer',
    jsonPath: '.status.source.partitions',
    description: 'Partitions of the source.',
    priority: 1,
  },
  { name: 'Reason', type: 'string', jsonPath: ready('reason'), description: 'Why Ready is what it is.', priority: 1 },
  { name: 'Message', type: 'string', jsonPath: ready('message'), description: 'What to do.', priority: 1 },
]

/** Brings what zod emits into the form Kubernetes takes. */
function adapt(schema: JsonSchema): void {
  if (schema['x-kubernetes-int-or-string'] === true) delete schema.anyOf
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) {
    delete schema.additionalProperties
  }
  // The API server drops an empty map, and every tool that compares would then see a difference.
  if (Object.keys(schema.properties ?? {}).length === 0) delete schema.properties
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum
}

/**
 * The API server checks a default against the rules before it fills in the defaults below it, so a default `{}` must be
 * written out.
 */
function writeOutDefaults(schema: JsonSchema): JsonSchema {
  const properties = Object.entries(schema.properties ?? {})
  for (const [, property] of properties) writeOutDefaults(property)
  if (typeof schema.items === 'object') writeOutDefaults(schema.items)
  if (schema.type === 'object' && schema.default !== undefined)
    schema.default = Object.fromEntries(
      properties.flatMap(([name, property]) => (property.default === undefined ? [] : [[name, property.default]])),
    )
  return schema
}

/** The schema of one zod type, as the API server checks what a person wrote: fields with a default may be absent. */
export const jsonSchemaOf = (type: z.ZodType): JsonSchema =>
  writeOutDefaults(
    z.toJSONSchema(type, {
      target: 'openapi-3.0',
      io: 'input',
      override: ({ jsonSchema }) => {
        adapt(jsonSchema as JsonSchema)
      },
    }) as JsonSchema,
  )

/** The whole object's schema. Throws where it is not structural. */
export function rootSchema(): JsonSchema {
  const root: JsonSchema = withoutDocs({
    description: 'Moves records from a source to a sink.',
    type: 'object',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object', properties: { name: { type: 'string', maxLength: 253 } } },
      spec: jsonSchemaOf(spec),
      status: jsonSchemaOf(status),
    },
    'x-kubernetes-validations': rootRules(),
  })
  assertStructural(root)
  return root
}

/** Without the metadata that only the reference documentation reads. */
const withoutDocs = (schema: JsonSchema): JsonSchema =>
  JSON.parse(JSON.stringify(schema, (name, value: unknown) => (name === docs ? undefined : value))) as JsonSchema

const rootRules = () => jsonSchemaOf(streamBridge)['x-kubernetes-validations'] ?? []

/** Names a schema: two CustomResourceDefinitions with the same hash accept the same objects. */
export const schemaHash = (schema: JsonSchema): string =>
  createHash('sha256').update(JSON.stringify(schema)).digest('hex').slice(0, 16)

/** The CustomResourceDefinition, as an object to be written as YAML. */
export function customResourceDefinition() {
  const schema = rootSchema()
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, annotations: { [schemaHashAnnotation]: schemaHash(schema) } },
    spec: {
      group,
      scope: 'Namespaced',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: ['sbr'],
        categories: ['streaming'],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          additionalPrinterColumns: columns,
          subresources: {
            status: {},
            scale: {
              specReplicasPath: '.spec.replicas',
              statusReplicasPath: '.status.replicas',
              labelSelectorPath: '.status.selector',
            },
          },
          schema: { openAPIV3Schema: schema },
        },
      ],
    },
  }
}
