import type { BackoffSettings } from './backoff.ts'
import type { Clock } from './clock.ts'
import type { AppendSink, Ordering, PartitionReader, Sink, Source, Stage } from './contracts.ts'
import type { BridgeError } from './errors.ts'
import type { Component } from './health/error-tracker.ts'

export interface EngineOptions {
  /** Opens the source or sink; called again until it succeeds, e.g. when a Secret is not there yet. */
  openSource(): Promise<Source>
  openSink(): Promise<Sink | AppendSink>
  /** Absent: a partition stops at a record that cannot be delivered. */
  readonly openDeadLetterSink: (() => Promise<Sink | AppendSink>) | undefined
  /** The stages of one partition for one ownership epoch, in order. */
  readonly stages: (partition: Pick<PartitionReader, 'partition' | 'stream' | 'epoch'>) => readonly Stage[]
  readonly sinkLanes: number
  /** `${kind}/${stream}`: the beginning of every record's source id. */
  readonly origin: string
  readonly ordering: Ordering
  readonly backoff: BackoffSettings
  /** Payload bytes between source and sink, over all partitions. */
  readonly maxInFlightBytes: number
  /** Records per second this replica reads; infinite for no limit. */
  readonly maxRecordsPerSecond: number
  /** Milliseconds. */
  readonly commitInterval: number
  /** Milliseconds. */
  readonly drainTimeout: number
  readonly clock: Clock
  readonly random: () => number
  /** A component began to fail, fails for another reason, or works again. */
  readonly onChange: (component: Component, error: BridgeError | undefined) => void
  /** Milliseconds one write of the sink took. */
  readonly onWrite: (milliseconds: number) => void
  /** Collects all garbage now; absent where that cannot be asked for. */
  readonly collect?: (() => void) | undefined
  /** Something works, and will not under a condition that a person can change now. */
  readonly onNotice: (message: string) => void
}
