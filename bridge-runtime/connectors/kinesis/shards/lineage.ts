import type { Shard } from '@aws-sdk/client-kinesis'
import type { Clock } from '../../../core/clock.ts'
import type { Position } from '../../../core/contracts.ts'
import { fromEarliest } from '../../../history/content.ts'
import type { ListedPartition } from '../../../leases/lineage.ts'
import type { KinesisApi, ShardPosition } from '../connection.ts'
import { serviceTime } from './identity.ts'
import type { KinesisSourceConfig } from '../schema.ts'

/** A shard continues one parent after a split and two after a merge. */
export const listed = (shards: readonly Shard[]): ListedPartition[] =>
  shards.map(({ ShardId = '', ParentShardId, AdjacentParentShardId }) => ({
    partition: ShardId,
    parents: [ParentShardId, AdjacentParentShardId].filter((parent) => parent !== undefined),
  }))

/**
 * Where shards without a position begin: `Earliest` or a time. The same for all of them, also for those that appear later: what a
 * child holds is younger than what its parents held, so the bridge's one starting time is right for it, and nothing between is missed.
 */
export async function startText(
  { type, timestamp }: KinesisSourceConfig['startPosition'],
  { api, clock }: { readonly api: KinesisApi; readonly clock: Clock },
  signal: AbortSignal,
): Promise<string> {
  if (type === 'Earliest') return fromEarliest
  return timestamp === undefined ? serviceTime(api, clock, signal) : new Date(timestamp).toISOString()
}

export const startAt = (start: string): ShardPosition =>
  start === fromEarliest ? { type: 'TRIM_HORIZON' } : { type: 'AT_TIMESTAMP', timestamp: new Date(start) }

export const resumeAfter = (position: Position): ShardPosition => ({
  type: 'AFTER_SEQUENCE_NUMBER',
  sequenceNumber: String(position),
})
