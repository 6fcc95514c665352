/** Which partitions may be worked on, given that children wait for their parents. Pure. */
import type { Lease } from '../lease-stores/lease-store.ts'

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

/** Partitions that need a lease now: those that may start, and those that were begun and lost theirs, listed or not. */
export function needed(listing: Listing, leases: Leases, begun: readonly string[]): string[] {
  const lost = begun.filter((partition) => !leases.has(partition) && !listing.has(partition))
  return [...startable(listing, leases), ...lost]
}

/**
 * Leases that are no longer needed, of partitions that are not listed: those that were finished, when every child that is listed has
 * started, and those that were never begun.
 *
 * @param all the leases of this generation among them, and what was left behind
 * @param begun partitions that had a position once
 */
export function removable(listing: Listing, all: readonly Lease[], begun: readonly string[]): Lease[] {
  const started = new Set(all.filter(({ epoch }) => epoch > 0).map(({ partition }) => partition))
  const waitedFor = new Set<string>()
  for (const { partition, parents } of listing.values())
    if (!started.has(partition)) for (const parent of parents) waitedFor.add(parent)
  return all.filter(({ partition, checkpoint, unreadable }) => {
    if (listing.has(partition) || unreadable !== undefined) return false
    return checkpoint.ended ? !waitedFor.has(partition) : !begun.includes(partition)
  })
}
