/** The objects of the in-process API with their history: resource versions, change events, waiting watchers. */
import { type Key, type KubeObject, keyText, type Resource } from '../../kube/api.ts'
import type { Ownership } from './field-ownership.ts'

export interface Stored {
  readonly resource: Resource
  readonly object: KubeObject
  readonly owners: Ownership
}

export interface Change {
  readonly version: number
  readonly resourceId: string
  /** The object before; for a deletion, as it was last, with the deletion's own version. */
  readonly before: KubeObject | undefined
  /** Undefined: deleted. */
  readonly after: KubeObject | undefined
}

export interface Store {
  /** The version of the newest change. */
  readonly version: number
  get(resource: Resource, key: Key): Stored | undefined
  all(): Iterable<Stored>
  /** True while an object of this UID exists. */
  exists(uid: string): boolean
  ofKind(resource: Resource): readonly KubeObject[]
  /** Stores the object with the next resource version. */
  put(stored: Stored): Stored
  /** Changes who owns what, which nobody can see: no new resource version. */
  setOwners(stored: Stored, owners: Ownership): void
  drop(stored: Stored): void
  /** Changes of the kind after a version; undefined when that is too long ago. */
  changesSince(resource: Resource, version: number): readonly Change[] | undefined
  /** Calls back after each change, until the returned function is called. */
  onChange(callback: () => void): () => void
  /** Forgets the changes so far, as etcd's compaction does: older watches get 410. */
  compact(): void
}

export const resourceId = ({ apiVersion, plural }: Resource): string => `${apiVersion}/${plural}`

/** Objects are shared with every caller, so nobody may change them in place. */
function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const member of Object.values(value)) freeze(member)
  return Object.freeze(value)
}

export interface StoreOptions {
  /** Changes kept for watches. */
  readonly history: number
  /** Objects kept per kind, oldest out first, for kinds that only grow. */
  readonly limits: Readonly<Record<string, number>>
}

export function createStore({ history, limits }: StoreOptions): Store {
  const kinds = new Map<string, Map<string, Stored>>()
  const changes: Change[] = []
  const uids = new Set<string>()
  const callbacks = new Set<() => void>()
  let version = 0
  let forgotten = 0

  const objectsOf = (id: string): Map<string, Stored> => {
    const known = kinds.get(id)
    if (known !== undefined) return known
    const objects = new Map<string, Stored>()
    kinds.set(id, objects)
    return objects
  }

  const record = (resource: Resource, change: Pick<Change, 'before' | 'after'>): void => {
    changes.push({ version, resourceId: resourceId(resource), ...change })
    if (changes.length > history) forgotten = changes.shift()?.version ?? forgotten
    for (const callback of callbacks) callback()
  }

  const versioned = (object: KubeObject): KubeObject =>
    freeze({ ...object, metadata: { ...object.metadata, resourceVersion: String(++version) } })

  const drop = ({ resource, object }: Stored): void => {
    objectsOf(resourceId(resource)).delete(keyText(object.metadata))
    uids.delete(object.metadata.uid ?? '')
    record(resource, { before: versioned(object), after: undefined })
  }

  return {
    get version() {
      return version
    },
    get: (resource, key) => kinds.get(resourceId(resource))?.get(keyText(key)),
    *all() {
      for (const objects of kinds.values()) yield* objects.values()
    },
    exists: (uid) => uids.has(uid),
    ofKind: (resource) => [...objectsOf(resourceId(resource)).values()].map(({ object }) => object),
    put(stored) {
      const id = resourceId(stored.resource)
      const objects = objectsOf(id)
      const key = keyText(stored.object.metadata)
      const before = objects.get(key)?.object
      const next = { ...stored, object: versioned(stored.object) }
      objects.set(key, next)
      uids.add(next.object.metadata.uid ?? '')
      record(stored.resource, { before, after: next.object })
      const [oldest] = objects.values()
      if (oldest !== undefined && objects.size > (limits[id] ?? Infinity)) drop(oldest)
      return next
    },
    setOwners(stored, owners) {
      objectsOf(resourceId(stored.resource)).set(keyText(stored.object.metadata), { ...stored, owners })
    },
    drop,
    changesSince(resource, since) {
      if (since < forgotten) return undefined
      const id = resourceId(resource)
      // From the newest backwards: a watch asks for few of many.
      const last = changes.findLastIndex(({ version }) => version <= since)
      return changes.slice(last + 1).filter((change) => change.resourceId === id)
    },
    onChange(callback) {
      callbacks.add(callback)
      return () => void callbacks.delete(callback)
    },
    compact() {
      changes.length = 0
      forgotten = version
    },
  }
}
