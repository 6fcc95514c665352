/**
 * Who set which field: the part of server-side apply that makes a field vanish when its manager stops applying it, and
 * stay when another manager has set it too. Pure. Lists are one value, except those the API merges by a key.
 */
import { canonicalJson } from '../../kube/format/canonical.ts'

export type Json = string | number | boolean | null | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json
}

/** Fields by manager. A path is the JSON of its segments: field names, and `{"name":"x"}` for an element of a list. */
export type Ownership = ReadonlyMap<string, ReadonlySet<string>>

/** The lists that are merged by element, with the field that tells elements apart. */
const listKeys: Readonly<Record<string, string>> = {
  conditions: 'type',
  containers: 'name',
  env: 'name',
  volumes: 'name',
  volumeMounts: 'mountPath',
  ports: 'containerPort',
  ownerReferences: 'uid',
}

/** Selectors are one value: half a selector selects something else. */
const atomicMaps = new Set(['selector', 'nodeSelector'])

type Segment = string | Readonly<Record<string, Json>>
type Path = readonly Segment[]

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const keyFieldOf = (field: Segment | undefined, list: readonly Json[]): string | undefined => {
  const key = typeof field === 'string' ? listKeys[field] : undefined
  if (key === undefined || list.length === 0) return undefined
  return list.every((item) => isObject(item) && item[key] !== undefined) ? key : undefined
}

const elementKey = (item: Json, keyField: string): Json | undefined => (isObject(item) ? item[keyField] : undefined)

/** Calls `visit` for each value that has one owner: scalars, whole lists, empty maps, and elements of merged lists. */
function visitLeaves(value: Json, path: Path, visit: (path: Path) => void): void {
  const field = path.at(-1)
  if (Array.isArray(value)) {
    const list = value as readonly Json[]
    const keyField = keyFieldOf(field, list)
    if (keyField === undefined) return visit(path)
    for (const item of list) visitElement(item, [...path, { [keyField]: elementKey(item, keyField) ?? null }], visit)
    return
  }
  if (!isObject(value) || Object.keys(value).length === 0 || (typeof field === 'string' && atomicMaps.has(field)))
    return visit(path)
  for (const [name, member] of Object.entries(value)) visitLeaves(member, [...path, name], visit)
}

function visitElement(item: Json, path: Path, visit: (path: Path) => void): void {
  visit(path)
  if (isObject(item)) for (const [name, member] of Object.entries(item)) visitLeaves(member, [...path, name], visit)
}

/** The paths an object sets. */
export function pathsOf(object: JsonObject): Set<string> {
  const paths = new Set<string>()
  for (const [name, member] of Object.entries(object))
    visitLeaves(member, [name], (path) => paths.add(JSON.stringify(path)))
  return paths
}

/** `applied` laid over `live`: what it does not mention stays. */
export function merge(live: Json | undefined, applied: Json, field?: string): Json {
  if (Array.isArray(applied)) return mergeLists(live, applied as readonly Json[], field)
  if (!isObject(applied) || !isObject(live) || atomicMaps.has(field ?? '')) return applied
  const merged: Record<string, Json> = { ...live }
  for (const [name, member] of Object.entries(applied)) merged[name] = merge(live[name], member, name)
  return merged
}

function mergeLists(live: Json | undefined, applied: readonly Json[], field: string | undefined): Json {
  const keyField = keyFieldOf(field, applied)
  if (keyField === undefined || !Array.isArray(live)) return applied
  const liveList = live as readonly Json[]
  const find = (list: readonly Json[], key: Json | undefined) => list.find((item) => elementKey(item, keyField) === key)
  const kept = liveList.filter((item) => find(applied, elementKey(item, keyField)) === undefined)
  return [...applied.map((item) => merge(find(liveList, elementKey(item, keyField)), item)), ...kept]
}

/** The value at a path. */
function at(value: Json | undefined, path: Path): Json | undefined {
  let here = value
  for (const segment of path) {
    if (typeof segment === 'string') here = isObject(here) ? here[segment] : undefined
    else here = Array.isArray(here) ? (here as readonly Json[]).find((item) => matches(item, segment)) : undefined
  }
  return here
}

const matches = (item: Json, segment: Readonly<Record<string, Json>>): boolean =>
  isObject(item) && Object.entries(segment).every(([name, value]) => item[name] === value)

/** Without the value at the path; a map or list it leaves empty goes too. */
function without(value: Json, path: Path): Json | undefined {
  const [segment, ...rest] = path
  if (segment === undefined) return undefined
  if (typeof segment !== 'string') return withoutElement(value, segment, rest)
  const member = isObject(value) ? value[segment] : undefined
  if (!isObject(value) || member === undefined) return value
  const { [segment]: _, ...others } = value
  const left = without(member, rest)
  if (left !== undefined) return { ...value, [segment]: left }
  return Object.keys(others).length === 0 ? undefined : others
}

function withoutElement(value: Json, segment: Readonly<Record<string, Json>>, rest: Path): Json | undefined {
  if (!Array.isArray(value)) return value
  const list = value as readonly Json[]
  const left = list.flatMap((item) => {
    if (!matches(item, segment)) return [item]
    const kept = rest.length === 0 ? undefined : without(item, rest)
    return kept === undefined ? [] : [kept]
  })
  return left.length === 0 ? undefined : left
}

const parsePath = (path: string): Path => JSON.parse(path) as Path

/** Outermost first: an element that goes takes its members, and its key, with it. */
const byDepth = (left: string, right: string): number => parsePath(left).length - parsePath(right).length

/** True for the field that tells an element from its neighbours: it goes only with the element. */
const isElementKey = (path: string): boolean => {
  const [element, field] = parsePath(path).slice(-2)
  return typeof element === 'object' && typeof field === 'string' && field in element
}

const same = (left: Json | undefined, right: Json | undefined): boolean => canonicalJson(left) === canonicalJson(right)

export interface Owned {
  readonly object: JsonObject
  readonly owners: Ownership
}

/** Server-side apply with force: `manager` owns what it gives, and what it gave before and nobody else owns goes. */
export function applyFields({ object, owners }: Owned, manager: string, applied: JsonObject): Owned {
  const given = pathsOf(applied)
  const others = [...owners].filter(([name]) => name !== manager)
  const dropped = [...(owners.get(manager) ?? [])]
    .filter((path) => !given.has(path) && !isElementKey(path) && !others.some(([, paths]) => holds(paths, path)))
    .sort(byDepth)
  let next = merge(object, applied)
  for (const path of dropped) if (!covered(given, path)) next = without(next, parsePath(path)) ?? {}
  const result = next as JsonObject
  const taken = takeChanged(others, object, result)
  return { object: result, owners: new Map([...taken, [manager, given]]) }
}

/** An update by a client: it owns what it changed. */
export function updateFields({ object, owners }: Owned, manager: string, next: JsonObject): Owned {
  const others = [...owners].filter(([name]) => name !== manager)
  const changed = [...pathsOf(next)].filter((path) => !same(at(object, parsePath(path)), at(next, parsePath(path))))
  const kept = [...(owners.get(manager) ?? [])].filter((path) => at(next, parsePath(path)) !== undefined)
  return {
    object: next,
    owners: new Map([...takeChanged(others, object, next), [manager, new Set([...kept, ...changed])]]),
  }
}

/** Managers lose the fields whose value is no longer what they set. */
function takeChanged(
  owners: readonly (readonly [string, ReadonlySet<string>])[],
  before: JsonObject,
  after: JsonObject,
) {
  return owners.map(([name, paths]): [string, Set<string>] => [
    name,
    new Set([...paths].filter((path) => unchanged(path, before, after))),
  ])
}

const unchanged = (path: string, before: JsonObject, after: JsonObject): boolean => {
  const parsed = parsePath(path)
  const value = at(after, parsed)
  if (value === undefined) return false
  return typeof parsed.at(-1) !== 'string' || same(at(before, parsed), value)
}

/** True when the set has the path or something beneath it. */
const holds = (paths: ReadonlySet<string>, path: string): boolean => {
  if (paths.has(path)) return true
  const prefix = `${path.slice(0, -1)},`
  for (const candidate of paths) if (candidate.startsWith(prefix)) return true
  return false
}

/** True when something beneath the path is given, or a whole value above it. */
const covered = (given: ReadonlySet<string>, path: string): boolean => {
  if (holds(given, path)) return true
  const parsed = parsePath(path)
  for (let length = 1; length < parsed.length; length++) {
    const above = parsed.slice(0, length)
    if (typeof above.at(-1) === 'string' && given.has(JSON.stringify(above))) return true
  }
  return false
}
