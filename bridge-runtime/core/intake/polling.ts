import { type BackoffSettings, backoff } from '../backoff.ts'
import type { Clock } from '../clock.ts'
import type { PartitionReader, SourceBatch } from '../contracts.ts'
import { asBridgeError, type BridgeError } from '../errors.ts'
import type { ErrorTracker } from '../health/error-tracker.ts'

export interface PollingOptions {
  readonly reader: PartitionReader
  readonly backoff: BackoffSettings
  readonly clock: Clock
  readonly random: () => number
  readonly errors: ErrorTracker
  /** Resolves when another batch may be taken, or the signal aborts: not polling is the backpressure. */
  readonly room: () => Promise<void>
  /** Resolves when the next batch may be asked for: there may have to be room for this one first. Not taken when the signal aborts. */
  readonly take: (batch: SourceBatch) => Promise<void>
  /** The partition is closed and fully read. */
  readonly ended: () => Promise<void>
  /** Records are gone that were not read yet. */
  readonly gap: (error: BridgeError) => void
}

/** Polls a partition until the signal aborts, it ends, or it has a gap. Never rejects: a failing poll is reported and repeated. */
export async function keepPolling(options: PollingOptions, signal: AbortSignal): Promise<void> {
  const place = `${options.reader.partition} poll`
  try {
    await pollOn(options, place, signal)
  } finally {
    // Nobody polls it any more: what failed last would be told for ever, before what has halted the partition.
    options.errors.worked('source', place)
  }
}

async function pollOn(options: PollingOptions, place: string, signal: AbortSignal): Promise<void> {
  const { reader, errors, clock, random } = options
  for (let failures = 0; !signal.aborted; ) {
    await options.room()
    if (signal.aborted) return
    try {
      const batch = await reader.poll(signal)
      // What arrives after the abort was not taken: the next owner reads it.
      if (signal.aborted) return
      if (failures > 0) errors.worked('source', place)
      failures = 0
      if (batch === 'end') return await options.ended()
      if (batch !== undefined) await options.take(batch)
    } catch (thrown) {
      if (signal.aborted) return
      const error = asBridgeError(thrown)
      if (error.reason === 'DataGap') return options.gap(error)
      errors.failed('source', place, error)
      await clock.sleep(backoff(options.backoff, failures, random), signal)
      failures += 1
    }
  }
}
