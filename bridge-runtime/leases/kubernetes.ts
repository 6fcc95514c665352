/**
 * Leases as `coordination.k8s.io/v1` objects in the bridge's namespace: `kubectl get leases -l streambridge.dev/bridge=NAME`
 * shows who reads what. Conditional on resourceVersion.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { BridgeError, fenced } from '../core/errors.ts'
import type { KubernetesRequest } from './kubernetes-request.ts'
import type { Checkpoint, Lease, LeaseStore } from './lease-store.ts'
import { unowned } from './memory.ts'

export interface KubernetesLeasesOptions {
  readonly namespace: string
  /** Name and uid of the StreamBridge: the Leases are deleted with it. */
  readonly bridge: string
  readonly uid: string
  readonly request: KubernetesRequest
  /** Milliseconds since the epoch, for people: nothing is decided by it. */
  readonly now: () => number
}

const label = 'streambridge.dev/bridge'
const annotation = {
  partition: 'streambridge.dev/partition',
  checkpoint: 'streambridge.dev/checkpoint',
  renewals: 'streambridge.dev/renewals',
} as const

const checkpointText = z
  .string()
  .transform((text): unknown => JSON.parse(text))
  .pipe(
    z.object({
      position: z.union([z.string(), z.number()]).optional(),
      ended: z.boolean(),
      stream: z.string().optional(),
    }),
  )

const leaseObject = z.object({
  metadata: z.object({
    uid: z.string(),
    resourceVersion: z.string(),
    annotations: z.object({
      [annotation.partition]: z.string(),
      [annotation.checkpoint]: checkpointText,
      [annotation.renewals]: z.coerce.number(),
    }),
    ownerReferences: z.array(z.object({ uid: z.string() })).default([]),
  }),
  spec: z.object({ holderIdentity: z.string().optional(), leaseTransitions: z.int().default(0) }).default({
    leaseTransitions: 0,
  }),
})
type LeaseObject = z.output<typeof leaseObject>

const listAnswer = z.object({
  metadata: z.object({ continue: z.string().optional() }).default({}),
  items: z.array(z.unknown()),
})
const versioned = z.object({ metadata: z.object({ uid: z.string(), resourceVersion: z.string() }) })

/** A lease's version: with the uid, because an update of an object that is gone would otherwise make a new one. */
const versionOf = ({ uid, resourceVersion }: { readonly uid: string; readonly resourceVersion: string }): string =>
  `${uid}/${resourceVersion}`
const versionIn = (answer: unknown): string => versionOf(versioned.parse(answer).metadata)

function preconditionsOf(version: string): { readonly uid: string; readonly resourceVersion: string } {
  const [uid = '', resourceVersion = ''] = version.split('/')
  return { uid, resourceVersion }
}

const pageSize = 500

/** `<bridge>-<hash>`: partition names may hold anything, object names may not. */
const objectName = (bridge: string, partition: string): string =>
  `${bridge}-${createHash('sha256').update(partition).digest('hex').slice(0, 10)}`

function toLease({ metadata, spec }: LeaseObject): Lease {
  const { position, ended, stream } = metadata.annotations[annotation.checkpoint]
  return {
    partition: metadata.annotations[annotation.partition],
    owner: spec.holderIdentity === '' ? undefined : spec.holderIdentity,
    epoch: spec.leaseTransitions,
    renewals: metadata.annotations[annotation.renewals],
    checkpoint: { position, ended, ...(stream === undefined ? {} : { stream }) },
    version: versionOf(metadata),
  }
}

/** What is undefined is left out. */
const checkpointOf = ({ position, ended, stream }: Checkpoint): string => JSON.stringify({ position, ended, stream })

/** *Errors*: `Fenced` as `LeaseStore` says; otherwise retryable, reason `LeaseStoreUnavailable` or `LeaseStoreForbidden`. */
export function kubernetesLeases(options: KubernetesLeasesOptions): LeaseStore {
  const { namespace, bridge, uid, request, now } = options
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`
  const path = (partition: string): string => `${collection}/${objectName(bridge, partition)}`

  const body = (lease: Omit<Lease, 'version'>, version: string | undefined): object => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name: objectName(bridge, lease.partition),
      namespace,
      ...(version === undefined ? {} : preconditionsOf(version)),
      labels: { [label]: bridge },
      annotations: {
        [annotation.partition]: lease.partition,
        [annotation.checkpoint]: checkpointOf(lease.checkpoint),
        [annotation.renewals]: String(lease.renewals),
      },
      ownerReferences: [{ apiVersion: 'streambridge.dev/v1alpha1', kind: 'StreamBridge', name: bridge, uid }],
    },
    spec: {
      ...(lease.owner === undefined ? {} : { holderIdentity: lease.owner }),
      leaseTransitions: lease.epoch,
      renewTime: new Date(now()).toISOString().replace('Z', '000Z'),
    },
  })

  const ours = (object: unknown): Lease[] => {
    const parsed = leaseObject.safeParse(object)
    if (!parsed.success || !parsed.data.metadata.ownerReferences.some((owner) => owner.uid === uid)) return []
    return [toLease(parsed.data)]
  }

  async function write(lease: Lease, change: Partial<Lease>): Promise<Lease> {
    const next = { ...lease, ...change, renewals: lease.renewals + 1 }
    const { status, body: answer } = await request('PUT', path(lease.partition), body(next, lease.version))
    // Gone counts as taken: somebody removed it, so this process does not own it.
    if (status === 409 || status === 404) throw fenced(lease.partition)
    if (status !== 200) throw refused('updating', path(lease.partition), status, answer)
    return { ...next, version: versionIn(answer) }
  }

  async function list(): Promise<readonly Lease[]> {
    const found: Lease[] = []
    let next = ''
    do {
      const selector = encodeURIComponent(`${label}=${bridge}`)
      const page = `${collection}?labelSelector=${selector}&limit=${pageSize}&continue=${encodeURIComponent(next)}`
      const { status, body: answer } = await request('GET', page)
      if (status !== 200) throw refused('listing', collection, status, answer)
      const { items, metadata } = listAnswer.parse(answer)
      found.push(...items.flatMap(ours))
      next = metadata.continue ?? ''
    } while (next !== '')
    return found
  }

  /** One attempt; undefined when somebody else wrote at the same moment. */
  async function tryCreate(partition: string): Promise<Lease | undefined> {
    const fresh = unowned(partition)
    const made = await request('POST', collection, body(fresh, undefined))
    if (made.status === 201) return { ...fresh, version: versionIn(made.body) }
    if (made.status !== 409) throw refused('creating', path(partition), made.status, made.body)
    const found = await request('GET', path(partition))
    if (found.status === 404) return undefined
    if (found.status !== 200) throw refused('reading', path(partition), found.status, found.body)
    const [lease] = ours(found.body)
    if (lease !== undefined) return lease
    // Left behind by a deleted StreamBridge of the same name, whose positions are not ours.
    const replaced = await request('PUT', path(partition), body(fresh, versionIn(found.body)))
    if (replaced.status === 200) {
      return { ...fresh, version: versionIn(replaced.body) }
    }
    if (replaced.status === 409 || replaced.status === 404) return undefined
    throw refused('replacing', path(partition), replaced.status, replaced.body)
  }

  async function create(partition: string): Promise<Lease> {
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const lease = await tryCreate(partition)
      if (lease !== undefined) return lease
    }
    throw new BridgeError(`creating ${path(partition)}: others keep changing it`, {
      kind: 'retryable',
      reason: 'LeaseStoreUnavailable',
    })
  }

  async function remove(lease: Lease): Promise<void> {
    const options = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: preconditionsOf(lease.version) }
    const { status, body: answer } = await request('DELETE', path(lease.partition), options)
    if (status === 409 || status === 404) throw fenced(lease.partition)
    if (status !== 200) throw refused('deleting', path(lease.partition), status, answer)
  }

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
