import type { Shard } from '@aws-sdk/client-kinesis'
import type { Position } from '../../core/contracts.ts'
import { isFenced } from '../../leases/write-own.ts'
import type { LeaseStore } from '../../leases/lease-store.ts'
import type { ListedPartition } from '../../leases/lineage.ts'
import type { Clock } from '../../core/clock.ts'
import type { ShardPosition } from './connection.ts'
import type { KinesisSourceConfig } from './schema.ts'

/** A shard continues one parent after a split and two after a merge. */
export const listed = (shards: readonly Shard[]): ListedPartition[] =>
  shards.map(({ ShardId = '', ParentShardId, AdjacentParentShardId }) => ({
    partition: ShardId,
    parents: [ParentShardId, AdjacentParentShardId].filter((parent) => parent !== undefined),
  }))

/**
 * Where shards without a checkpoint begin. The same for all of them, also for those that appear later: what a child holds
 * is younger than what its parents held, so the bridge's one starting time is right for it, and nothing between is missed.
 */
export async function firstPosition(
  { type, timestamp }: KinesisSourceConfig['startPosition'],
  options: { readonly leases: LeaseStore; readonly replica: string; readonly clock: Clock },
): Promise<ShardPosition> {
  if (type === 'Earliest') return { type: 'TRIM_HORIZON' }
  if (timestamp !== undefined) return { type: 'AT_TIMESTAMP', timestamp: new Date(timestamp) }
  return { type: 'AT_TIMESTAMP', timestamp: await firstStart(options) }
}

/** Not a shard: holds when the bridge began, so that `Latest` means the same moment after a crash and on every replica. */
const startLease = '~start'

async function firstStart(options: {
  readonly leases: LeaseStore
  readonly replica: string
  readonly clock: Clock
}): Promise<Date> {
  const { leases, replica, clock } = options
  for (;;) {
    const lease = await leases.create(startLease)
    if (lease.checkpoint.position !== undefined) return new Date(lease.checkpoint.position)
    try {
      const position = new Date(clock.now()).toISOString()
      await leases.checkpoint(await leases.acquire(lease, replica), { position, ended: false })
    } catch (thrown) {
      // Another replica was first: read what it wrote.
      if (!isFenced(thrown)) throw thrown
    }
  }
}

export const resumeAfter = (position: Position): ShardPosition => ({
  type: 'AFTER_SEQUENCE_NUMBER',
  sequenceNumber: String(position),
})
