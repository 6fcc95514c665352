/**
 * What happens to a StreamBridge that is deleted: its replicas stop first, while what they need to give up their
 * positions is still there. A finalizer of ours holds the object until then, and never longer than `patience`. Pure.
 */
import { milliseconds } from '../../crds/kit/units.ts'
import type { ObjectMeta } from '../kube/api.ts'
import type { Observed } from './observe/observed.ts'
import { type Child, isOwnedBy } from './owned.ts'
import { workloadKind } from './workload/workload.ts'

export const drainFinalizer = 'streambridge.dev/drain'

/** Kubernetes puts it for `--cascade=orphan`: what the bridge made is to stay. */
const orphanFinalizer = 'orphan'

/** Milliseconds beyond the drain after which a pod that does not go is waited for no more: its node is gone. */
const patience = 600_000
/** Milliseconds of the longest drain the schema allows, where the spec is not understood. */
const longestDrain = 600_000
/** Milliseconds until the next look at what is left. */
const drainInterval = 2_000

export interface Finalization {
  /** What is said of it. */
  readonly message: string
  readonly remove: readonly Child[]
  /** What the finalizers become; undefined: as they are. */
  readonly finalizers: readonly string[] | undefined
  /** Milliseconds until the next look; undefined: nothing is waited for. */
  readonly next: number | undefined
}

const finalizersOf = ({ finalizers = [] }: ObjectMeta): readonly string[] => finalizers

/** The finalizers with ours, where it is not there yet. It goes on before anything is made. */
export function withDrainFinalizer({ stored }: Observed): readonly string[] | undefined {
  const present = finalizersOf(stored.metadata)
  return present.includes(drainFinalizer) ? undefined : [...present, drainFinalizer]
}

const drainOf = ({ parsed }: Observed): number =>
  parsed.kind === 'valid' ? milliseconds(parsed.bridge.spec.delivery.drainTimeout) : longestDrain

/** A workload of our name that is not ours: the pods are its own. */
const belongsToOthers = ({ children, stored }: Observed): boolean =>
  children.some(
    ({ resource, object }) => resource === workloadKind.resource && !isOwnedBy(object, stored.metadata.uid ?? ''),
  )

/** Nothing of the bridge runs any more, or it is not ours to stop, or it was waited for long enough. */
function isOver(observed: Observed, now: number): boolean {
  const { stored, workload, pods } = observed
  const { deletionTimestamp = '' } = stored.metadata
  if (finalizersOf(stored.metadata).includes(orphanFinalizer) || belongsToOthers(observed)) return true
  if (now - Date.parse(deletionTimestamp) > drainOf(observed) + patience) return true
  return workload === undefined && pods.length === 0
}

function messageOf({ workload, pods }: Observed): string {
  if (pods.length === 0)
    return workload === undefined ? 'nothing runs any more' : `the ${workloadKind.resource.kind} is being deleted`
  const [first] = pods
  const others = pods.length > 1 ? ` and ${pods.length - 1} more` : ''
  return `pod ${first?.name}${others} finishes what it holds; then everything goes`
}

/** Undefined while nobody deletes the StreamBridge. `now`: milliseconds since the epoch. */
export function finalizationOf(observed: Observed, now: number): Finalization | undefined {
  const { stored, workload } = observed
  if (stored.metadata.deletionTimestamp === undefined) return undefined
  const message = messageOf(observed)
  const present = finalizersOf(stored.metadata)
  if (!present.includes(drainFinalizer)) return { message, remove: [], finalizers: undefined, next: undefined }
  if (isOver(observed, now)) {
    const finalizers = present.filter((finalizer) => finalizer !== drainFinalizer)
    return { message, remove: [], finalizers, next: drainInterval }
  }
  const exists = workload !== undefined && workload.object.metadata.deletionTimestamp === undefined
  const remove = exists ? [{ resource: workloadKind.resource, object: workload.object }] : []
  return { message, remove, finalizers: undefined, next: drainInterval }
}
