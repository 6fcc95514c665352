/**
 * Finalization of a deleted StreamBridge: its replicas stop first, while the objects they need to commit and to release
 * their partitions still exist. Our finalizer keeps the object until then, at most for drain and `terminationTimeout`. Pure.
 */
import { milliseconds } from '../../crds/kit/units.ts'
import type { ObjectMeta } from '../kube/api.ts'
import type { Observed } from './observe/observed.ts'
import { type Child, isOwnedBy } from './owned.ts'
import { workloadKind } from './workload/workload.ts'

export const drainFinalizer = 'streambridge.dev/drain'

/** Kubernetes adds it for `--cascade=orphan`: the objects of the bridge are to stay. */
const orphanFinalizer = 'orphan'

/** Milliseconds beyond the drain after which the finalizer goes although a pod still exists: its node is gone. */
const terminationTimeout = 600_000
/** Milliseconds of the longest drain the schema allows: for a spec that cannot be parsed. */
const maxDrainTimeout = 600_000
/** Milliseconds until the next reconcile. */
const drainInterval = 2_000

export interface Finalization {
  /** For the status: what is waited for. */
  readonly message: string
  readonly remove: readonly Child[]
  /** What the finalizers become; undefined: as they are. */
  readonly finalizers: readonly string[] | undefined
  /** Milliseconds until the next reconcile; undefined: nothing is waited for. */
  readonly next: number | undefined
}

const finalizersOf = ({ finalizers = [] }: ObjectMeta): readonly string[] => finalizers

/** The finalizers with ours, where it is not there yet. It goes on before anything is made. */
export function withDrainFinalizer({ stored }: Observed): readonly string[] | undefined {
  const present = finalizersOf(stored.metadata)
  return present.includes(drainFinalizer) ? undefined : [...present, drainFinalizer]
}

const drainTimeoutOf = ({ parsed }: Observed): number =>
  parsed.kind === 'valid' ? milliseconds(parsed.bridge.spec.delivery.drainTimeout) : maxDrainTimeout

/** A workload of our name with another owner: its pods are not ours to stop. */
const hasForeignWorkload = ({ children, stored }: Observed): boolean =>
  children.some(
    ({ resource, object }) => resource === workloadKind.resource && !isOwnedBy(object, stored.metadata.uid ?? ''),
  )

/** No pod of the bridge is left, or none is to be stopped, or the timeout is over. */
function mayRemoveFinalizer(observed: Observed, now: number): boolean {
  const { stored, workload, pods } = observed
  const { deletionTimestamp = '' } = stored.metadata
  if (finalizersOf(stored.metadata).includes(orphanFinalizer) || hasForeignWorkload(observed)) return true
  if (now - Date.parse(deletionTimestamp) > drainTimeoutOf(observed) + terminationTimeout) return true
  return workload === undefined && pods.length === 0
}

function messageOf({ workload, pods }: Observed): string {
  if (pods.length === 0)
    return workload === undefined ? 'nothing runs any more' : `the ${workloadKind.resource.kind} is being deleted`
  const [first] = pods
  const others = pods.length > 1 ? ` and ${pods.length - 1} more` : ''
  return `pod ${first?.name}${others} finishes its records and stops; then the other objects are deleted`
}

/** Undefined while the StreamBridge is not being deleted. `now`: milliseconds since the epoch. */
export function finalizationOf(observed: Observed, now: number): Finalization | undefined {
  const { stored, workload } = observed
  if (stored.metadata.deletionTimestamp === undefined) return undefined
  const message = messageOf(observed)
  const present = finalizersOf(stored.metadata)
  if (!present.includes(drainFinalizer)) return { message, remove: [], finalizers: undefined, next: undefined }
  if (mayRemoveFinalizer(observed, now)) {
    const finalizers = present.filter((finalizer) => finalizer !== drainFinalizer)
    return { message, remove: [], finalizers, next: drainInterval }
  }
  const exists = workload !== undefined && workload.object.metadata.deletionTimestamp === undefined
  const remove = exists ? [{ resource: workloadKind.resource, object: workload.object }] : []
  return { message, remove, finalizers: undefined, next: drainInterval }
}
