/** zod → reference documentation in Markdown. */
import { catalog } from '../../bridge-runtime/connectors/catalog.ts'
import type { ConnectorDefinition } from '../../bridge-runtime/connectors/define-connector.ts'
import { conditionReasons, conditionTypes, eventReasons } from '../schema/conditions.ts'
import { runtimeReasons } from '../kit/reasons.ts'
import type { ReasonList } from '../kit/reasons/list.ts'
import { apiVersion, kind } from '../schema/streambridge.ts'
import { jsonSchemaOf, rootSchema } from './crd.ts'
import { cell, rowsOf, table } from './field-table.ts'
import type { JsonSchema } from './json-schema.ts'

const rulesOf = (schema: JsonSchema): readonly string[] =>
  (schema['x-kubernetes-validations'] ?? []).map(({ message }) => `- ${message}`)

const page = (...parts: readonly string[]): string => `${parts.filter((part) => part !== '').join('\n\n')}\n`

const notation = `A *duration* is a whole number and a unit: \`250ms\`, \`30s\`, \`5m\`, \`1h\`. A *size* is a number of bytes, or a whole
number and a unit: \`512Ki\`, \`32Mi\`, \`1Gi\`. A *secret key* is \`{name: ..., key: ...}\` and names one key of a Secret in the namespace
of the ${kind}.`

function streamBridgePage(): string {
  const root = rootSchema()
  const { spec = {}, status = {} } = root.properties ?? {}
  const links = Object.keys(catalog).map((name) => `[${name}](connectors/${name}.md)`)
  return page(
    `# ${kind}`,
    `\`apiVersion: ${apiVersion}\`, short name \`sbr\`. The members of \`source\`, \`sink\` and \`deadLetter\` have their own pages: ${links.join(', ')}. So have the [steps of \`transforms\`](steps/README.md) and the [formats of \`decode\` and \`encode\`](formats/README.md).`,
    notation,
    '## spec',
    [...rulesOf(root), ...rulesOf(spec)].join('\n'),
    table(rowsOf(spec, 'spec')),
    '## status',
    'Written by the operator. An absent field is unknown.',
    table(rowsOf(status, 'status')),
  )
}

function conditionsPage(): string {
  const listed = (entries: Readonly<Record<string, string>>, heading: string): string =>
    [
      `| ${heading} | Meaning |`,
      '|---|---|',
      ...Object.entries(entries).map(([name, text]) => `| \`${name}\` | ${cell(text)} |`),
    ].join('\n')
  return page(
    '# Conditions',
    listed(conditionTypes, 'Type'),
    '## Reasons',
    'Reasons that a bridge gives for an error, such as `TopicNotFound`, have [their own page](reasons.md).',
    listed(conditionReasons, 'Reason'),
    '## Events',
    'An Event has the reason of the condition that changed, or one of these:',
    listed(eventReasons, 'Reason'),
  )
}

/** Where the errors of an area show, for a reader who has only the word. */
const areas: Readonly<Record<keyof typeof runtimeReasons, string>> = {
  engine: 'Every bridge',
  transforms: 'On the way: decode, transforms, encode',
  leases: 'Positions in Leases or files (Kinesis, Event Hubs)',
  kafka: 'Kafka',
  kinesis: 'Kinesis',
  pubsub: 'Pub/Sub',
  eventHubs: 'Event Hubs',
  file: 'File',
}

function reasonsPage(): string {
  const sections = Object.entries<ReasonList>(runtimeReasons).map(([area, list]) => {
    const lines = Object.entries(list).map(
      ([reason, { meaning, advice }]) => `| \`${reason}\` | ${cell(meaning)} | ${cell(advice)} |`,
    )
    const heading = `## ${areas[area as keyof typeof runtimeReasons]}`
    return `${heading}\n\n${['| Reason | Meaning | What to do |', '|---|---|---|', ...lines].join('\n')}`
  })
  return page(
    '# Reasons of errors',
    `The words with which a bridge names what fails: in the conditions \`SourceConnected\`, \`SinkConnected\`,
\`CheckpointHealthy\` and \`Ready\`, in \`status.lastError\` and \`status.deadLetter.lastReason\`, in the logs, and in the label
\`reason\` of \`streambridge_dead_lettered_total\`. The message beside it has the names. The operator's own reasons are
listed with the [conditions](conditions.md).`,
    ...sections,
  )
}

function connectorPage({ name, summary, source, sink }: ConnectorDefinition): string {
  const role = (
    title: 'source' | 'sink',
    definition: { readonly schema: Parameters<typeof jsonSchemaOf>[0] },
  ): string => {
    const schema = jsonSchemaOf(definition.schema)
    const rows = rowsOf(schema, '')
    return page(
      `## As a ${title}: \`spec.${title}.${name}\``,
      schema.description ?? '',
      rulesOf(schema).join('\n'),
      rows.length === 0 ? 'It has no fields: write `{}`.' : table(rows),
    ).trimEnd()
  }
  return page(
    `# ${name}`,
    `${summary}. [What duration, size and secret key mean](../streambridge.md).`,
    source === undefined ? '' : role('source', source),
    sink === undefined ? '' : role('sink', sink),
  )
}

/** Path below `docs/reference` → Markdown. */
export function referencePages(): ReadonlyMap<string, string> {
  const connectors = Object.values<ConnectorDefinition>(catalog)
  return new Map([
    ['streambridge.md', streamBridgePage()],
    ['conditions.md', conditionsPage()],
    ['reasons.md', reasonsPage()],
    ...connectors.map((connector) => [`connectors/${connector.name}.md`, connectorPage(connector)] as const),
  ])
}
