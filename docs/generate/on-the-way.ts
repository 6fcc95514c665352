/** A page for each step and each format: its fields, from the schema, and an example that a test runs. */
import { existsSync, readFileSync } from 'node:fs'
import { stringify } from 'yaml'
import type { z } from 'zod'
import { formats } from '../../bridge-runtime/formats/catalog.ts'
import { steps } from '../../bridge-runtime/steps/catalog.ts'
import { variables } from '../../bridge-runtime/expressions/environment.ts'
import { jsonSchemaOf } from '../../crds/generate/crd.ts'
import { cell, rowsOf, table } from '../../crds/generate/field-table.ts'
import type { JsonSchema } from '../../crds/generate/json-schema.ts'
import { type DocumentedExample, readExample } from './example.ts'

const page = (...parts: readonly string[]): string => `${parts.filter((part) => part !== '').join('\n\n')}\n`

/** Of a file beside this one; undefined where nobody has written it yet. */
function exampleOf(kind: 'steps' | 'formats', name: string): DocumentedExample | undefined {
  const url = new URL(`examples/${kind}/${name}.yaml`, import.meta.url)
  return existsSync(url) ? readExample(readFileSync(url, 'utf8'), url.pathname) : undefined
}

function fieldsOf(title: string, schema: z.ZodType): string {
  const root: JsonSchema = jsonSchemaOf(schema)
  const rules = (root['x-kubernetes-validations'] ?? []).map(({ message }) => `- ${message}`)
  const rows = rowsOf(root, '')
  const parts = [root.description ?? '', rules.join('\n'), rows.length === 0 ? '' : table(rows)]
  const text = parts.filter((part) => part !== '').join('\n\n')
  return text === '' ? '' : `## ${title}\n\n${text}`
}

const json = (value: unknown): string => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``

/** One record as a cell: its value, and what else it has. */
function recordCell(record: Readonly<Record<string, unknown>>): string {
  return Object.entries(record)
    .map(([field, value]) => (field === 'value' ? json(value) : `${field} ${json(value)}`))
    .join(', ')
}

function exampleText({ title, text, spec, tests }: DocumentedExample): string {
  const rows = tests.flatMap(({ name, input, output, filtered, poison }) => {
    const results = [
      ...output.map(recordCell),
      ...(filtered > 0 ? ['*left out*'] : []),
      ...poison.map(({ reason }) => `*cannot go on:* \`${reason}\``),
    ]
    return `| ${[name, input.map(recordCell).join('<br>'), results.join('<br>')].map(cell).join(' | ')} |`
  })
  return [
    `## Example: ${title}`,
    ...(text === undefined ? [] : [text]),
    `\`\`\`yaml\n${stringify({ spec }, { lineWidth: 0 })}\`\`\``,
    ['| | Record | Becomes |', '|---|---|---|', ...rows].join('\n'),
  ].join('\n\n')
}

function stepPage(name: string): string {
  const { summary, schema } = steps[name] as (typeof steps)[string]
  const example = exampleOf('steps', name)
  return page(
    `# ${name}`,
    `${summary} Written as \`spec.transforms[].${name}\`; [all steps](README.md).`,
    fieldsOf('Fields', schema),
    example === undefined ? '' : exampleText(example),
  )
}

function formatPage(name: string): string {
  const { summary, decode, encode, keeps } = formats[name] as (typeof formats)[string]
  const example = exampleOf('formats', name)
  return page(
    `# ${name}`,
    `${summary} Written as \`spec.decode.value.${name}\`, \`spec.encode.value.${name}\`, and the same of \`key\`; [all formats](README.md).`,
    keeps ? 'What no step changed keeps its bytes.' : 'Where `encode` does not say otherwise, it is written as JSON.',
    fieldsOf('Fields of decode', decode.schema),
    fieldsOf('Fields of encode', encode.schema),
    example === undefined ? '' : exampleText(example),
  )
}

const listOf = (entries: Readonly<Record<string, { readonly summary: string }>>): string =>
  [
    '| Name | What it does |',
    '|---|---|',
    ...Object.entries(entries).map(([name, { summary }]) => `| [${name}](${name}.md) | ${cell(summary)} |`),
  ].join('\n')

/** Path from the root of the project → content. */
export function onTheWayPages(): readonly (readonly [string, string])[] {
  const list = Object.entries(variables).map(
    ([name, { type, description }]) => `| \`${name}\` | ${type} | ${cell(description)} |`,
  )
  return [
    [
      'docs/reference/steps/README.md',
      page(
        '# Steps',
        'What `spec.transforms` can name, one name a step, at most 32 steps. [The guide](../../guides/transforms.md) begins with tasks.',
        listOf(steps),
        '## What an expression reads',
        ['| Variable | Type | What it is |', '|---|---|---|', ...list].join('\n'),
      ),
    ],
    [
      'docs/reference/formats/README.md',
      page('# Formats', 'What `spec.decode` and `spec.encode` can name, for `value` and for `key`.', listOf(formats)),
    ],
    ...Object.keys(steps).map((name) => [`docs/reference/steps/${name}.md`, stepPage(name)] as const),
    ...Object.keys(formats).map((name) => [`docs/reference/formats/${name}.md`, formatPage(name)] as const),
  ]
}
