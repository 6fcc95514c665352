/**
 * Leases as `coordination.k8s.io/v1` objects of fixed names in the bridge's namespace, so that a Role can name them:
 * `kubectl get leases -l streambridge.dev/bridge=NAME` shows who reads what. An object may hold several.
 */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { historyName } from '../../../crds/kit/lease-names.ts'
import { BridgeError, fenced } from '../../core/errors.ts'
import { formerLease, isFormer } from './former.ts'
import {
  annotationsWith,
  bodyOf,
  bridgeLabel,
  damaged,
  type Entry,
  entryOf,
  idIn,
  has,
  holdsNothing,
  leasesOf,
  objectNameOf,
  parseObject,
  type StoredObject,
  toEntry,
  toLease,
  versionIn,
} from './objects.ts'
import type { KubernetesRequest } from './request.ts'
import type { Lease, LeaseStore } from '../lease-store.ts'
import { unowned } from '../memory.ts'

export interface KubernetesLeasesOptions {
  readonly namespace: string
  /** Name and uid of the StreamBridge: the Leases are deleted with it. */
  readonly bridge: string
  readonly uid: string
  readonly request: KubernetesRequest
  /** Milliseconds since the epoch, for people: nothing is decided by it. */
  readonly now: () => number
}

const listAnswer = z.object({
  metadata: z.object({ continue: z.string().optional() }).default({}),
  items: z.array(z.unknown()),
})

const pageSize = 500
/** Writes by others to the same object that are waited out. */
const attempts = 20

/** *Errors*: `Fenced` as `LeaseStore` says; otherwise retryable, reason `LeaseStoreUnavailable`, or fatal `LeaseStoreForbidden`. */
export function kubernetesLeases(options: KubernetesLeasesOptions): LeaseStore {
  const { namespace, bridge, uid, request, now } = options
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`
  const pathOf = (name: string): string => `${collection}/${name}`
  /** Objects as they were last seen, by name: a writer need not ask when nobody else wrote. */
  const seen = new Map<string, StoredObject>()
  /** Writes of this process to one object follow each other. */
  const turns = new Map<string, Promise<unknown>>()
  /** Leases of an older version that are not needed any more. */
  const dropped = new Set<string>()

  const isOurs = ({ metadata }: StoredObject): boolean => metadata.ownerReferences.some((owner) => owner.uid === uid)

  function inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
    const next = (turns.get(name) ?? Promise.resolve()).then(work)
    turns.set(
      name,
      next.catch(() => undefined),
    )
    return next
  }

  /** The object now; undefined when there is none. */
  async function get(name: string): Promise<StoredObject | undefined> {
    const { status, body: answer } = await request('GET', pathOf(name))
    if (status === 200) {
      const found = parseObject(answer)
      seen.set(name, found)
      return found
    }
    if (status !== 404) throw refused('reading', pathOf(name), status, answer)
    seen.delete(name)
    return undefined
  }

  /** Writes an object with one entry set or taken away. False when it is not as it was based on. */
  async function put(
    name: string,
    partition: string,
    { based, set }: { readonly based: StoredObject | undefined; readonly set: Entry | undefined },
  ): Promise<boolean> {
    const annotations = annotationsWith(based !== undefined && isOurs(based) ? based : undefined, partition, set)
    if (based !== undefined && holdsNothing(annotations)) return await drop(name, based)
    const body = bodyOf({ name, namespace, bridge, uid, now: now() }, annotations, based)
    // To a name that nobody has it makes the object; to one that somebody has it needs a version.
    const { status, body: answer } = await request('PUT', pathOf(name), body)
    if (status === 200 || status === 201) {
      seen.set(name, parseObject(answer))
      return true
    }
    seen.delete(name)
    if (status === 409 || status === 404 || (status === 422 && based === undefined)) return false
    throw refused('writing', pathOf(name), status, answer)
  }

  async function drop(name: string, { metadata }: StoredObject): Promise<boolean> {
    const preconditions = { uid: metadata.uid, resourceVersion: metadata.resourceVersion }
    const options = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions }
    const { status, body: answer } = await request('DELETE', pathOf(name), options)
    seen.delete(name)
    if (status === 200) return true
    if (status === 409 || status === 404) return false
    throw refused('deleting', pathOf(name), status, answer)
  }

  /** Changes the lease's own entry, whatever happens to others of its object. */
  async function change(lease: Lease, set: Entry | undefined): Promise<void> {
    const { partition, version } = lease
    const name = objectNameOf(bridge, partition)
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      let object = seen.get(name)
      if (object === undefined || versionIn(object, partition) !== version) object = await get(name)
      if (object !== undefined && isOurs(object)) {
        if (versionIn(object, partition) !== (isFormer(lease) ? undefined : version)) throw fenced(partition)
      } else if (!isFormer(lease)) throw fenced(partition)
      if (await put(name, partition, { based: object, set })) return
    }
    throw busy(name)
  }

  function write(lease: Lease, changed: Partial<Lease>): Promise<Lease> {
    const { unreadable: _, ...next } = { ...lease, ...changed, renewals: lease.renewals + 1 }
    const name = objectNameOf(bridge, lease.partition)
    return inTurn(name, async () => {
      const set = toEntry(next, idIn(lease.version) ?? randomUUID())
      await change(lease, set)
      return toLease(set)
    })
  }

  async function list(): Promise<readonly Lease[]> {
    const found: Lease[] = []
    const former: Lease[] = []
    let next = ''
    do {
      const selector = encodeURIComponent(`${bridgeLabel}=${bridge}`)
      const page = `${collection}?labelSelector=${selector}&limit=${pageSize}&continue=${encodeURIComponent(next)}`
      const { status, body: answer } = await request('GET', page)
      if (status !== 200) throw refused('listing', collection, status, answer)
      const { items, metadata } = listAnswer.parse(answer)
      for (const object of items.map(parseObject).filter(isOurs)) found.push(...leasesOf(object))
      former.push(...items.filter((item) => isOurs(parseObject(item))).flatMap((item) => formerLease(item) ?? []))
      next = metadata.continue ?? ''
    } while (next !== '')
    const remembered = await get(historyName(bridge))
    if (remembered !== undefined && isOurs(remembered)) found.push(...leasesOf(remembered))
    const known = new Set(found.map(({ partition }) => partition))
    return [...found, ...former.filter((lease) => !known.has(lease.partition) && !dropped.has(lease.version))]
  }

  /** One attempt; undefined when somebody else wrote at the same moment. */
  async function tryCreate(name: string, partition: string): Promise<Lease | undefined> {
    const based = await get(name)
    if (based !== undefined && isOurs(based) && has(based, partition)) {
      const found = entryOf(based, partition)
      return found === undefined ? damaged(based, partition) : toLease(found)
    }
    // What a deleted StreamBridge of the same name left behind is replaced: its positions are not ours.
    if (
      based !== undefined &&
      !isOurs(based) &&
      !based.metadata.ownerReferences.some(({ kind }) => kind === 'StreamBridge')
    )
      throw new BridgeError(`Lease ${name} is not of a StreamBridge; remove it, or rename the bridge`, {
        kind: 'fatal',
        reason: 'LeaseStoreForbidden',
      })
    const set = toEntry(unowned(partition), randomUUID())
    return (await put(name, partition, { based, set })) ? toLease(set) : undefined
  }

  function create(partition: string): Promise<Lease> {
    const name = objectNameOf(bridge, partition)
    return inTurn(name, async () => {
      for (let attempt = 0; attempt < attempts; attempt += 1) {
        const lease = await tryCreate(name, partition)
        if (lease !== undefined) return lease
      }
      throw busy(name)
    })
  }

  async function remove(lease: Lease): Promise<void> {
    if (isFormer(lease)) dropped.add(lease.version)
    else await inTurn(objectNameOf(bridge, lease.partition), () => change(lease, undefined))
  }

  const busy = (name: string): BridgeError =>
    new BridgeError(`writing ${pathOf(name)}: others keep changing it`, {
      kind: 'retryable',
      reason: 'LeaseStoreUnavailable',
    })

  return {
    list,
    create,
    acquire: (lease, owner) => write(lease, { owner, epoch: lease.epoch + 1 }),
    renew: (lease) => write(lease, {}),
    checkpoint: (lease, checkpoint) => write(lease, { checkpoint }),
    release: (lease) => write(lease, { owner: undefined }),
    remove,
  }
}

const statusMessage = z.object({ message: z.string() })

function refused(doing: string, path: string, status: number, answer: unknown): BridgeError {
  const said = statusMessage.safeParse(answer)
  const forbidden = status === 401 || status === 403
  return new BridgeError(`${doing} ${path}: ${said.success ? said.data.message : `HTTP status ${status}`}`, {
    kind: forbidden ? 'fatal' : 'retryable',
    reason: forbidden ? 'LeaseStoreForbidden' : 'LeaseStoreUnavailable',
  })
}
