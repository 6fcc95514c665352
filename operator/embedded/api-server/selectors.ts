/** Label and field selectors, as the API server reads them. Pure. */
import { type KubeObject, KubeError, type ListOptions } from '../../kube/api.ts'

type Test = (labels: Readonly<Record<string, string>>) => boolean

const requirement = (text: string): Test => {
  const set = /^([^\s!=]+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(text)
  if (set !== null) {
    const [, name = '', operator, list = ''] = set
    const values = list.split(',').map((value) => value.trim())
    return (labels) => values.includes(labels[name] ?? '\0') === (operator === 'in')
  }
  const equality = /^([^\s!=]+)\s*(==|=|!=)\s*(\S*)$/.exec(text)
  if (equality !== null) {
    const [, name = '', operator, value = ''] = equality
    return (labels) => (labels[name] === value) === (operator !== '!=')
  }
  const presence = /^(!?)([^\s!=]+)$/.exec(text)
  if (presence === null)
    throw new KubeError(`unable to parse requirement: ${text}`, { status: 400, reason: 'BadRequest' })
  const [, absent, name = ''] = presence
  return (labels) => name in labels === (absent === '')
}

/** Commas between requirements, not those within `in (a, b)`. */
const split = (selector: string): string[] =>
  selector
    .split(/,(?![^(]*\))/)
    .map((text) => text.trim())
    .filter((text) => text !== '')

const fieldAt = (object: KubeObject, path: string): string => {
  let here: unknown = object
  for (const name of path.split('.'))
    here = typeof here === 'object' && here !== null ? (here as Readonly<Record<string, unknown>>)[name] : undefined
  return typeof here === 'string' ? here : ''
}

const fieldRequirement = (text: string): ((object: KubeObject) => boolean) => {
  const match = /^([^!=]+)(==|=|!=)(.*)$/.exec(text)
  if (match === null) throw new KubeError(`invalid field selector: ${text}`, { status: 400, reason: 'BadRequest' })
  const [, path = '', operator, value = ''] = match
  return (object) => (fieldAt(object, path) === value) === (operator !== '!=')
}

/** True for the objects that the options select. Throws KubeError 400 for a selector that cannot be read. */
export function selects(options: ListOptions): (object: KubeObject) => boolean {
  const labels = split(options.labelSelector ?? '').map(requirement)
  const fields = split(options.fieldSelector ?? '').map(fieldRequirement)
  return (object) =>
    (options.namespace === undefined || object.metadata.namespace === options.namespace) &&
    labels.every((holds) => holds(object.metadata.labels ?? {})) &&
    fields.every((holds) => holds(object))
}
