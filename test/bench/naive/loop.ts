/** What the naive loops have in common: a source hands over batches and marks each as done after the sink has stored it. */

export interface NaiveRecord {
  readonly key: string
  readonly value: Buffer
  readonly headers: Readonly<Record<string, string>>
}

/** Stores the records, those of a key in their order. Resolves when all are stored. */
export type Write = (records: readonly NaiveRecord[]) => Promise<void>

/** Told of records in the sink as soon as they are: what is measured must not come in lumps. */
export type Stored = (count: number) => void

export interface Place {
  readonly broker: 'kafka' | 'kinesis' | 'pubsub' | 'eventHubs'
  /** Of the server, as its SDK takes it. */
  readonly address: string
  /** Topic, stream, topic and subscription, or event hub. */
  readonly stream: string
}

export interface SourcePlace extends Place {
  /** Folder for checkpoints, where the broker keeps none. */
  readonly checkpoints: string
}

/** What the process is told: as JSON in its first argument. */
export interface NaiveOrder {
  readonly from: SourcePlace
  readonly to: Place
}

/** Parts of at most so many records. */
export function* chunks<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += size) yield all.slice(from, from + size)
}
