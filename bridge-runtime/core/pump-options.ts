import type { BackoffSettings } from './backoff.ts'
import type { Clock } from './clock.ts'
import type { Ordering, PartitionReader, Sink } from './contracts.ts'
import type { Failing } from './failing.ts'
import type { MemoryBudget } from './memory-budget.ts'
import type { RateLimit } from './rate-limit.ts'
import type { Statistics } from './statistics.ts'

export interface PumpOptions {
  readonly reader: PartitionReader
  readonly sink: Sink
  /** Absent: the partition stops at a record that cannot be delivered. */
  readonly deadLetterSink: Sink | undefined
  readonly ordering: Ordering
  /** Lanes the sink likes to have. */
  readonly lanes: number
  /** `${kind}/${stream}`, for `SinkBatch.origin`. */
  readonly origin: string
  readonly backoff: BackoffSettings
  /** Both are shared by all partitions of the replica. */
  readonly rateLimit: RateLimit
  readonly budget: MemoryBudget
  /** Milliseconds between two calls of `commit` by the owner of the pump. */
  readonly commitInterval: number
  /** Payload bytes this partition may hold; one batch is always allowed. Changes as partitions come and go. */
  share(): number
  readonly clock: Clock
  readonly random: () => number
  readonly statistics: Statistics
  readonly failing: Failing
}

/** Why a partition waits for a person. */
export interface Halt {
  readonly reason: 'StoppedAtRecord' | 'DataGap'
  readonly message: string
}
