import type { BackoffSettings } from '../backoff.ts'
import type { Clock } from '../clock.ts'
import type { PartitionReader, Position, SourceBatch } from '../contracts.ts'
import type { ErrorTracker } from '../health/error-tracker.ts'
import type { Statistics } from '../health/statistics.ts'
import type { InFlightBatch, Outputs } from './in-flight-batch.ts'

/** The batches of one partition that are taken and not settled. */
export interface InFlight {
  add(batch: SourceBatch, now: number): InFlightBatch
  /** The stages have made this of the batch. @returns the source records without an output: they are settled */
  derive(batch: InFlightBatch, outputs: Outputs): readonly number[]
  /** Settles outputs. @returns the source records that are settled by it */
  settle(batch: InFlightBatch, outputs: readonly number[] | 'all'): readonly number[] | 'all'
  /** An append sink has all of the batch in its keeping: its records need no memory here. */
  release(batch: InFlightBatch): void
  /** Payload bytes held. */
  readonly bytes: number
  /** Records taken and not yet gone: with a crash now, at most these are delivered again. */
  readonly records: number
  /** Records that are read again when nothing else settles. */
  readonly behind: number
  /** When the oldest batch was taken (monotonic milliseconds). */
  readonly oldest: number | undefined
  /** Forgets the batches, for good: what was taken and not settled is not settled any more. */
  letGo(): void
}

export interface SettlementOptions {
  readonly reader: PartitionReader
  readonly backoff: BackoffSettings
  readonly clock: Clock
  readonly random: () => number
  readonly errors: ErrorTracker
  readonly statistics: Statistics
  /** The partition is closed and fully read. */
  readonly ended: () => boolean
  /** Another owner has the partition. */
  readonly fenced: () => void
}

/** How a source learns of what is settled: a strategy for each kind of `Settlement`. */
export interface SettlementStrategy {
  readonly inFlight: InFlight
  /** The partition is read by several replicas at the same time: what waits may be another's. */
  readonly shared: boolean
  /** Last committed position; undefined where there is none. */
  readonly committed: Position | undefined
  settle(batch: InFlightBatch, outputs: readonly number[] | 'all'): void
  /** Takes what the stages made of a batch. @returns source records that have no output */
  derive(batch: InFlightBatch, outputs: Outputs): number
  /** Resolves when what is settled now is committed or failed to be. Never rejects. */
  commit(): Promise<void>
  /** Commits a few times in the first interval (milliseconds). */
  commitEarly(interval: number, signal: AbortSignal): Promise<void>
  /** Commits all that is settled, trying until the deadline. */
  commitUntilDeadline(deadline: AbortSignal): Promise<void>
  /** What is in flight is given up, and the reader kept. */
  letGo(): void
  /** Nothing is committed any more. */
  close(): void
}
