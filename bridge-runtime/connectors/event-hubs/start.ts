/** Where a partition without a checkpoint begins. */
import type { LeaseStore } from '../../leases/lease-store.ts'
import { isFenced } from '../../leases/write-own.ts'
import type { HubApi } from './hub.ts'
import type { EventHubsSourceConfig } from './schema.ts'

/** `after`: behind this sequence number, -1 for the first event. `since`: with the first event stored at this time or later. */
export type Start = { readonly after: number } | { readonly since: number } | 'first'

export interface StartOptions {
  readonly api: Pick<HubApi, 'partitions' | 'properties'>
  readonly leases: LeaseStore
  readonly replica: string
}

/**
 * `Latest` means the ends of the partitions when the bridge first began, also after a crash and on every replica; they are
 * kept in a lease. A partition that was added later is read from its first event, because all of it is newer.
 */
export async function startOf(
  { type, timestamp }: EventHubsSourceConfig['startPosition'],
  options: StartOptions,
  signal: AbortSignal,
): Promise<(partition: string) => Start> {
  if (timestamp !== undefined) return () => ({ since: Date.parse(timestamp) })
  if (type === 'Earliest') return () => 'first'
  const ends = await firstEnds(options, signal)
  return (partition) => {
    const after = ends.get(partition)
    return after === undefined ? 'first' : { after }
  }
}

/** Not a partition: holds where the partitions ended when the bridge began, as `0:41,1:-1`. */
const startLease = '~start'

async function firstEnds(
  { api, leases, replica }: StartOptions,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  for (;;) {
    const lease = await leases.create(startLease)
    if (lease.checkpoint.position !== undefined) return parse(String(lease.checkpoint.position))
    const partitions = await api.partitions(signal)
    const ends = await Promise.all(
      partitions.map(async (partition) => `${partition}:${(await api.properties(partition, signal)).last}`),
    )
    try {
      await leases.checkpoint(await leases.acquire(lease, replica), { position: ends.join(), ended: false })
    } catch (thrown) {
      // Another replica was first: read what it wrote.
      if (!isFenced(thrown)) throw thrown
    }
  }
}

function parse(text: string): ReadonlyMap<string, number> {
  return new Map(
    text.split(',').map((pair) => {
      const at = pair.lastIndexOf(':')
      return [pair.slice(0, at), Number(pair.slice(at + 1))] as const
    }),
  )
}

/** The service's filter for a start; undefined: from the first event. */
export function filterOf(start: Start): string | undefined {
  if (start === 'first') return undefined
  if ('since' in start) return `amqp.annotation.x-opt-enqueued-time > '${start.since - 1}'`
  return start.after < 0 ? undefined : `amqp.annotation.x-opt-sequence-number > '${start.after}'`
}
