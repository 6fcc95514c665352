/**
 * A Kubernetes API in this process: what `streambridge dev` and the unit tests run against. It keeps resource versions,
 * generations, field ownership, preconditions, watches with history and garbage collection by owner reference. Its verbs
 * take effect at once, in the order of the calls.
 */
import { time } from '../../kube/format/time.ts'
import { canonicalJson } from '../../kube/format/canonical.ts'
import { randomUUID } from 'node:crypto'
import type { Clock } from '../../../bridge-runtime/core/clock.ts'
import {
  type Key,
  type KubeApi,
  KubeError,
  type KubeObject,
  type List,
  type ListOptions,
  type ObjectMeta,
  type Resource,
} from '../../kube/api.ts'
import { events, podMonitors } from '../../kube/resources.ts'
import { admit } from './admission.ts'
import { applyFields, type Owned, updateFields } from './field-ownership.ts'
import { desiredPart, mainPart, newObject, replacement, statusPart, wire } from './object-parts.ts'
import { selects } from './selectors.ts'
import { alreadyExists, badRequest, conflict, invalid, modified, noSuchKind, notFound } from './server-errors.ts'
import { createStore, resourceId, type Store, type Stored } from './store.ts'
import { watchStore } from './watches.ts'

export interface EmbeddedKubeOptions {
  readonly clock: Clock
  /** Changes kept for watches; older ones get 410. */
  readonly history?: number
  /** Kinds that are not installed: every verb answers 404. */
  readonly absent?: readonly Resource[]
}

export interface EmbeddedKube extends KubeApi {
  /** The same cluster under another field manager; this one is `streambridge`. */
  as(manager: string): KubeApi
  /** Forgets past changes: watches from before get 410, as after etcd's compaction. */
  compact(): void
}

class EmbeddedCluster {
  readonly #store: Store
  readonly #clock: Clock
  readonly #absent: ReadonlySet<string>

  constructor({ clock, history = 10_000, absent = [podMonitors] }: EmbeddedKubeOptions) {
    this.#clock = clock
    this.#absent = new Set(absent.map(resourceId))
    this.#store = createStore({ history, limits: { [resourceId(events)]: 1_000 } })
  }

  api(manager: string): KubeApi {
    return {
      get: async <T extends KubeObject>(resource: Resource<T>, key: Key) =>
        this.#store.get(resource, key)?.object as T | undefined,
      list: async <T extends KubeObject>(resource: Resource<T>, options: ListOptions = {}): Promise<List<T>> => {
        this.#mustExist(resource)
        const items = this.#store.ofKind(resource).filter(selects(options)) as unknown as readonly T[]
        return { items, resourceVersion: String(this.#store.version) }
      },
      apply: async (resource, object) => this.#apply(resource, object, manager) as typeof object,
      applyStatus: async (resource, object) => this.#applyStatus(resource, object, manager) as typeof object,
      create: async (resource, object) => this.#create(resource, object, `Update ${manager}`) as typeof object,
      replace: async (resource, object) => this.#replace(resource, object, `Update ${manager}`) as typeof object,
      setFinalizers: async (resource, object, finalizers) =>
        this.#setFinalizers(resource, object, { finalizers, owner: `Update ${manager}` }) as typeof object,
      remove: async (resource, key, precondition) => {
        this.#mustExist(resource)
        const stored = this.#store.get(resource, key)
        if (stored === undefined) return
        this.#checkPreconditions(stored, precondition)
        this.#delete(stored)
      },
      watch: (resource, options, signal) => {
        this.#mustExist(resource)
        return watchStore(this.#store, this.#clock, { resource, options, signal })
      },
    }
  }

  compact(): void {
    this.#store.compact()
  }

  #mustExist(resource: Resource): void {
    if (this.#absent.has(resourceId(resource))) throw noSuchKind()
  }

  #checkPreconditions({ resource, object }: Stored, wanted: Pick<ObjectMeta, 'uid' | 'resourceVersion'>): void {
    const { name, uid, resourceVersion } = object.metadata
    if (wanted.uid !== undefined && wanted.uid !== uid)
      throw conflict(
        resource,
        name,
        `Precondition failed: UID in precondition: ${wanted.uid}, UID in object meta: ${uid}`,
      )
    if (wanted.resourceVersion !== undefined && wanted.resourceVersion !== resourceVersion)
      throw modified(resource, name)
  }

  #apply(resource: Resource, object: KubeObject, manager: string): KubeObject {
    const stored = this.#store.get(resource, object.metadata)
    const owner = `Apply ${manager}`
    if (stored === undefined) {
      if (object.metadata.uid !== undefined)
        throw conflict(
          resource,
          object.metadata.name,
          `uid mismatch: the provided object specified uid ${object.metadata.uid}, and no existing object was found`,
        )
      return this.#create(resource, object, owner)
    }
    const { name, uid, resourceVersion } = object.metadata
    if (uid !== undefined && uid !== stored.object.metadata.uid)
      throw invalid(resource, name, [`metadata.uid: Invalid value: ${JSON.stringify(uid)}: field is immutable`])
    this.#checkPreconditions(stored, resourceVersion === undefined ? {} : { resourceVersion })
    const applied = mainPart(resource, object)
    return this.#write(stored, applyFields(ownedOf(stored), owner, applied))
  }

  #applyStatus(resource: Resource, object: KubeObject, manager: string): KubeObject {
    this.#mustExist(resource)
    const stored = this.#store.get(resource, object.metadata)
    if (stored === undefined) throw notFound(resource, object.metadata.name)
    this.#checkPreconditions(stored, object.metadata)
    const applied = statusPart(object)
    return this.#write(stored, applyFields(ownedOf(stored), `Apply ${manager} status`, applied))
  }

  #create(resource: Resource, object: KubeObject, owner: string): KubeObject {
    this.#mustExist(resource)
    const { name, namespace } = object.metadata
    if (name === '') throw badRequest('name is required')
    if (resource.namespaced === (namespace === undefined))
      throw badRequest(
        `${resource.kind} "${name}": a namespace ${resource.namespaced ? 'is required' : 'is not allowed'}`,
      )
    if (this.#store.get(resource, object.metadata) !== undefined) throw alreadyExists(resource, name)
    const given = mainPart(resource, object)
    const identity = newObject(resource, object.metadata, { uid: randomUUID(), creationTimestamp: this.#timestamp() })
    const owned = applyFields({ object: identity, owners: new Map() }, owner, given)
    const admitted = admit(resource, owned.object, undefined)
    if (admitted instanceof KubeError) throw admitted
    const stored = this.#store.put({ resource, object: admitted as unknown as KubeObject, owners: owned.owners })
    this.#collectIfOrphan(stored)
    return stored.object
  }

  #replace(resource: Resource, object: KubeObject, owner: string): KubeObject {
    this.#mustExist(resource)
    const stored = this.#store.get(resource, object.metadata)
    const { name, resourceVersion } = object.metadata
    if (stored === undefined) throw notFound(resource, name)
    if (resourceVersion === undefined)
      throw badRequest(`${resource.kind} "${name}": metadata.resourceVersion must be set`)
    this.#checkPreconditions(stored, object.metadata)
    const next = replacement(stored, object)
    return this.#write(stored, updateFields(ownedOf(stored), owner, next))
  }

  #setFinalizers(
    resource: Resource,
    { metadata }: KubeObject,
    { finalizers, owner }: { readonly finalizers: readonly string[]; readonly owner: string },
  ): KubeObject {
    this.#mustExist(resource)
    const stored = this.#store.get(resource, metadata)
    if (stored === undefined) throw notFound(resource, metadata.name)
    this.#checkPreconditions(stored, metadata)
    const { object } = stored
    const next = wire({ ...object, metadata: { ...object.metadata, finalizers } })
    return this.#write(stored, updateFields(ownedOf(stored), owner, next))
  }

  /** Stores the result of a write: nothing happens when nothing changed; the generation grows with anything but metadata and status. */
  #write(before: Stored, { object, owners }: Owned): KubeObject {
    const { resource } = before
    const admitted = admit(resource, object, before.object)
    if (admitted instanceof KubeError) throw admitted
    if (canonicalJson(admitted) === canonicalJson(wire(before.object))) {
      this.#store.setOwners(before, owners)
      return before.object
    }
    const next = admitted as unknown as KubeObject
    const { generation, deletionTimestamp, finalizers } = next.metadata
    const grown = generation !== undefined && desiredPart(admitted) !== desiredPart(wire(before.object))
    const metadata = grown ? { ...next.metadata, generation: generation + 1 } : next.metadata
    const stored = this.#store.put({ resource, object: { ...next, metadata }, owners })
    if (deletionTimestamp !== undefined && (finalizers ?? []).length === 0) this.#drop(stored)
    else this.#collectIfOrphan(stored)
    return stored.object
  }

  #delete(stored: Stored): void {
    const { metadata } = stored.object
    if (metadata.deletionTimestamp !== undefined) return
    if ((metadata.finalizers ?? []).length === 0) return this.#drop(stored)
    const marked = {
      ...metadata,
      deletionTimestamp: this.#timestamp(),
      ...(metadata.generation === undefined ? {} : { generation: metadata.generation + 1 }),
    }
    this.#store.put({ ...stored, object: { ...stored.object, metadata: marked } })
  }

  #drop(stored: Stored): void {
    this.#store.drop(stored)
    for (const other of this.#store.all()) {
      const owners = other.object.metadata.ownerReferences ?? []
      if (owners.some(({ uid }) => uid === stored.object.metadata.uid)) this.#collectIfOrphan(other)
    }
  }

  /** Garbage collection: an object goes when none of its owners exists. */
  #collectIfOrphan(stored: Stored): void {
    const owners = stored.object.metadata.ownerReferences ?? []
    if (owners.length > 0 && !owners.some(({ uid }) => this.#store.exists(uid))) this.#delete(stored)
  }

  #timestamp(): string {
    return time(this.#clock.now())
  }
}

const ownedOf = ({ object, owners }: Stored): Owned => ({ object: wire(object), owners })

/** An empty cluster. It needs nothing closed. */
export function createEmbeddedKube(options: EmbeddedKubeOptions): EmbeddedKube {
  const cluster = new EmbeddedCluster(options)
  return {
    ...cluster.api('streambridge'),
    as: (manager) => cluster.api(manager),
    compact: () => cluster.compact(),
  }
}
