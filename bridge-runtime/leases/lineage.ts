/** Which partitions may be worked on, given that children wait for their parents. Pure. */
import type { Lease } from './lease-store.ts'

/** A partition as the service lists it, with the ones it continues. */
export interface ListedPartition {
  readonly partition: string
  readonly parents: readonly string[]
}

export type Leases = ReadonlyMap<string, Lease>
export type Listing = ReadonlyMap<string, ListedPartition>

/**
 * Partitions that need a lease now: they have none, and all of their parents are finished. A parent the service has
 * forgotten and that has no lease was finished before, or was gone before the bridge began.
 */
export function startable(listing: Listing, leases: Leases): string[] {
  const finished = (parent: string): boolean => {
    const lease = leases.get(parent)
    return lease === undefined ? !listing.has(parent) : lease.checkpoint.ended
  }
  return [...listing.values()]
    .filter(({ partition, parents }) => !leases.has(partition) && parents.every(finished))
    .map(({ partition }) => partition)
}

/** Leases that are no longer needed: finished, no longer listed, and every child that is listed has started. */
export function removable(listing: Listing, leases: Leases): Lease[] {
  const waitedFor = new Set<string>()
  for (const { partition, parents } of listing.values()) {
    const started = (leases.get(partition)?.epoch ?? 0) > 0
    if (!started) for (const parent of parents) waitedFor.add(parent)
  }
  return [...leases.values()].filter(
    ({ partition, checkpoint }) => checkpoint.ended && !listing.has(partition) && !waitedFor.has(partition),
  )
}
