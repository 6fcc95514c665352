/** Checks a StreamBridge manifest without an API server, in the API server's words. */
import { sinkOf, sourceOf } from '../bridge-runtime/connectors/catalog.ts'
import { deadLetterWarning } from '../bridge-runtime/connectors/record-sizes.ts'
import { apiServerText, type Issue, refusedByRule } from './api-server-text.ts'
import { rootSchema } from './generate/crd.ts'
import type { JsonSchema } from './generate/json-schema.ts'
import {
  isMapKey,
  isObject,
  nullFields,
  overfullMaps,
  type Path,
  pathText,
  unknownFields,
  valueAt,
  withoutNulls,
} from './manifest-shape.ts'
import { apiVersion, kind, streamBridge } from './schema/streambridge.ts'

export interface Finding {
  /** `spec.source.kafka.topics[0]` */
  readonly path: string
  /** What is wrong and what to write. */
  readonly message: string
  /** An error is refused by the API server (unknown fields: by `kubectl apply`, which asks it to be strict). */
  readonly severity: 'error' | 'warning'
}

const error = (path: string, message: string): Finding => ({ path, message, severity: 'error' })
const warning = (path: string, message: string): Finding => ({ path, message, severity: 'warning' })

// The API server's own schema of metadata is not in the CustomResourceDefinition.
const known: JsonSchema = ((root) => ({
  ...root,
  properties: { ...root.properties, metadata: { 'x-kubernetes-preserve-unknown-fields': true } },
}))(rootSchema())

/**
 * Everything the API server would refuse in a new object, defaults filled in, and what it would let pass although it
 * is hardly meant. Rules about changes (from one spec to the next) are not checked: there is no earlier object here.
 */
export function validateManifest(manifest: unknown): readonly Finding[] {
  if (!isObject(manifest)) return [error('', 'a manifest is an object with apiVersion, kind, metadata and spec')]
  if (manifest['kind'] !== kind || manifest['apiVersion'] !== apiVersion)
    return [
      error('kind', `no matches for kind ${quoted(manifest['kind'])} in version ${quoted(manifest['apiVersion'])}`),
    ]
  return [...refusals(manifest), ...unknownFieldsOf(manifest), ...warningsOf(manifest)]
}

const quoted = (value: unknown): string => JSON.stringify(value ?? '')

function refusals(manifest: Readonly<Record<string, unknown>>): readonly Finding[] {
  const object = withoutNulls({ ...manifest, status: undefined })
  const { error: failure } = streamBridge.safeParse(object)
  const issues = failure?.issues ?? []
  // What has the wrong form is reported once: its rules would only repeat it.
  const malformed = new Set(issues.filter((issue) => issue.code !== 'custom').map((issue) => pathText(issue.path)))
  return issues
    .filter((issue) => issue.code !== 'custom' || !malformed.has(pathText(issue.path)))
    .map((issue) => refusal(issue, object))
}

function refusal(issue: Issue, object: unknown): Finding {
  const path = pathText(issue.path)
  const value = valueAt(object, issue.path)
  if (path === 'metadata.name' && value === undefined)
    return error(path, 'Required value: name or generateName is required')
  if (issue.code !== 'custom') return error(path, apiServerText(issue, path, value))
  return error(rulePathText(issue.path), refusedByRule(issue, value))
}

/** As `pathText`, but a rule about the value of a map names its key in brackets: `spec.template.labels[team]`. */
function rulePathText(path: Path): string {
  return isMapKey(known, path) ? `${pathText(path.slice(0, -1))}[${String(path.at(-1))}]` : pathText(path)
}

function unknownFieldsOf(manifest: Readonly<Record<string, unknown>>): readonly Finding[] {
  return [
    ...unknownFields(manifest, known).map((path) => error(pathText(path), 'unknown field')),
    ...overfullMaps(manifest, known).map(({ path, size, limit }) =>
      error(pathText(path), `Too many: ${size}: must have at most ${limit} items`),
    ),
  ]
}

function warningsOf(manifest: Readonly<Record<string, unknown>>): readonly Finding[] {
  const nulls = nullFields(manifest['spec'], ['spec']).map((path) =>
    warning(pathText(path), 'null counts as absent: write {} for an empty object, or remove the line'),
  )
  const status =
    'status' in manifest ? [warning('status', 'is written by the operator: what stands here is ignored')] : []
  return [...nulls, ...status, ...crampedDeadLetters(manifest)]
}

/** A dead-letter sink that takes less than its source may hold. What is refused anyway is not looked at. */
function crampedDeadLetters(manifest: Readonly<Record<string, unknown>>): readonly Finding[] {
  const { data } = streamBridge.safeParse(withoutNulls({ ...manifest, status: undefined }))
  const deadLetter = data?.spec.delivery.deadLetter
  if (data === undefined || deadLetter === undefined) return []
  const found = deadLetterWarning(sourceOf(data.spec.source), sinkOf(deadLetter))
  return found === undefined ? [] : [warning(found.path, found.message)]
}
