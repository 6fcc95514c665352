/** What the trials do to a source's streams: from outside, with the vendor's client or the server's own administration. */
import type { RuntimeOptions } from '../../support/runtime-process.ts'

export interface World extends AsyncDisposable {
  readonly broker: string
  readonly secrets: NonNullable<RuntimeOptions['secrets']>
  /** `spec.source` for a stream, with the start position; looks around often. */
  source(stream: string, start: Start): object
  /** Makes a stream that can be written and read. */
  create(stream: string, partitions: number): Promise<void>
  remove(stream: string): Promise<void>
  /** Stores values, over all partitions that take records now. */
  send(stream: string, values: readonly string[]): Promise<void>
  /** Splits it, or adds partitions; absent where the service cannot. */
  readonly grow?: (stream: string) => Promise<void>
  /** Deletes what holds the position of a stopped bridge, as expiry or a careless hand would. */
  losePosition(bridge: { readonly name: string; readonly leases: string }, stream: string): Promise<void>
  /** What is out of reach once it happened, whatever a person decides: the service keeps no record for a reader that comes later. */
  readonly unreachable?: 'sent before the reader'
}

/** What `startPosition.type` says; Pub/Sub has none. */
export type Start = 'Earliest' | 'Latest'
