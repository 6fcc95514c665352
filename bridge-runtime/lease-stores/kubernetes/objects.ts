/** Leases as they are written into `coordination.k8s.io/v1` objects: several in one, each in an annotation of its own. Pure. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { historyName, leaseName, leaseObjects } from '../../../crds/kit/lease-names.ts'
import { fieldsOf, leaseFields, leaseWith } from '../lease-fields.ts'
import type { Lease } from '../lease-store.ts'
import { unowned } from '../memory.ts'
import { historyLease } from '../history-lease.ts'

export const bridgeLabel = 'streambridge.dev/bridge'
/** For people: the partitions of the object, one a line. */
const partitionsAnnotation = 'streambridge.dev/partitions'
const entryPrefix = 'lease.streambridge.dev/'

const hash = (text: string): string => createHash('sha256').update(text).digest('hex')
const entryKey = (partition: string): string => entryPrefix + hash(partition).slice(0, 20)

export const objectNameOf = (bridge: string, partition: string): string =>
  partition === historyLease
    ? historyName(bridge)
    : leaseName(bridge, Number.parseInt(hash(partition).slice(0, 8), 16) % leaseObjects)

const entry = leaseFields.extend({
  /** Tells this entry from one of the same partition that was removed before. */
  id: z.string(),
})
export type Entry = z.output<typeof entry>

const storedObject = z.object({
  metadata: z.object({
    name: z.string(),
    uid: z.string(),
    resourceVersion: z.string(),
    annotations: z.record(z.string(), z.string()).default({}),
    ownerReferences: z.array(z.object({ kind: z.string(), uid: z.string() })).default([]),
  }),
  spec: z.object({ leaseTransitions: z.int().optional() }).default({}),
})
export type StoredObject = z.output<typeof storedObject>

/** *Errors*: a ZodError for what is no object of the API server. */
export const parseObject = (answer: unknown): StoredObject => storedObject.parse(answer)

function read(text: string): Entry | undefined {
  try {
    return entry.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

export const entryOf = ({ metadata }: StoredObject, partition: string): Entry | undefined =>
  read(metadata.annotations[entryKey(partition)] ?? '')

/** Whether there is an entry, readable or not. */
export const has = ({ metadata }: StoredObject, partition: string): boolean =>
  metadata.annotations[entryKey(partition)] !== undefined

const versionOf = ({ id, renewals }: Entry): string => `${id}/${renewals}`
const damagedVersion = (text: string): string => `damaged/${hash(text)}`

/** Of the entry; undefined where it has none to go on with. */
export const idIn = (version: string): string | undefined =>
  /^(damaged|former)\//.test(version) ? undefined : version.slice(0, version.lastIndexOf('/'))

/** What a write is conditional on: the entry as it was read. Others of the object may change meanwhile. */
export const versionIn = (object: StoredObject, partition: string): string | undefined => {
  const text = object.metadata.annotations[entryKey(partition)]
  if (text === undefined) return undefined
  const found = read(text)
  return found === undefined ? damagedVersion(text) : versionOf(found)
}

export const toLease = (found: Entry): Lease => leaseWith(found, versionOf(found))

/** No epoch of the object is greater than the one that its spec says. */
export function damaged({ metadata, spec }: StoredObject, partition: string): Lease {
  const key = entryKey(partition)
  return {
    ...unowned(partition),
    epoch: spec.leaseTransitions ?? 0,
    unreadable: `annotation ${key} of Lease ${metadata.name} is damaged`,
    version: damagedVersion(metadata.annotations[key] ?? ''),
  }
}

/** The leases of an object. One that is damaged is known by the names beside it. */
export function leasesOf(object: StoredObject): Lease[] {
  const { annotations } = object.metadata
  const names = (annotations[partitionsAnnotation] ?? '').split('\n')
  return Object.entries(annotations).flatMap(([key, text]) => {
    if (!key.startsWith(entryPrefix)) return []
    const found = read(text)
    if (found !== undefined && entryKey(found.partition) === key) return [toLease(found)]
    const name = names.find((partition) => entryKey(partition) === key)
    return name === undefined ? [] : [damaged(object, name)]
  })
}

export const toEntry = (lease: Omit<Lease, 'version'>, id: string): Entry => ({ ...fieldsOf(lease), id })

export interface Belonging {
  readonly name: string
  readonly namespace: string
  readonly bridge: string
  readonly uid: string
  /** Milliseconds since the epoch, for people: nothing is decided by it. */
  readonly now: number
}

/** Annotations of an object's entries with one of them set, or taken away. */
export function annotationsWith(
  object: StoredObject | undefined,
  partition: string,
  set: Entry | undefined,
): Readonly<Record<string, string>> {
  const { [entryKey(partition)]: _, [partitionsAnnotation]: names = '', ...others } = object?.metadata.annotations ?? {}
  const left = names.split('\n').filter((name) => name !== '' && name !== partition)
  return {
    ...others,
    ...(set === undefined ? {} : { [entryKey(partition)]: JSON.stringify(set) }),
    [partitionsAnnotation]: [...left, ...(set === undefined ? [] : [partition])].sort().join('\n'),
  }
}

export const holdsNothing = (annotations: Readonly<Record<string, string>>): boolean =>
  !Object.keys(annotations).some((key) => key.startsWith(entryPrefix))

/** The object to write. @param based what it replaces; undefined makes it */
export function bodyOf(
  { name, namespace, bridge, uid, now }: Belonging,
  annotations: Readonly<Record<string, string>>,
  based: StoredObject | undefined,
): object {
  const entries = Object.entries(annotations).flatMap(([key, text]) =>
    key.startsWith(entryPrefix) ? [read(text)] : [],
  )
  const holders = new Set(entries.map((found) => found?.owner).filter((owner) => owner !== undefined))
  const epochs = entries.map((found) => found?.epoch ?? 0)
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name,
      namespace,
      ...(based === undefined ? {} : { uid: based.metadata.uid, resourceVersion: based.metadata.resourceVersion }),
      ...(name === historyName(bridge) ? {} : { labels: { [bridgeLabel]: bridge } }),
      annotations,
      ownerReferences: [{ apiVersion: 'streambridge.dev/v1alpha1', kind: 'StreamBridge', name: bridge, uid }],
    },
    spec: {
      ...(holders.size === 0 ? {} : { holderIdentity: [...holders].sort().join(', ') }),
      leaseTransitions: Math.max(0, based?.spec.leaseTransitions ?? 0, ...epochs),
      renewTime: new Date(now).toISOString().replace('Z', '000Z'),
    },
  }
}
