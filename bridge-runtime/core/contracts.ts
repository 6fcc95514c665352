/**
 * What the engine, the connectors and the stages promise each other. No code beyond constants: read this first.
 *
 * The unit of work is a batch from one partition. It is decoded when somebody first asks for its records.
 */
import type { BridgeError } from './errors.ts'

/**
 * Where a record stands in its partition, as the broker says it: a Kafka offset (number), a Kinesis or Event Hubs
 * sequence number (decimal string). Positions of one partition are totally ordered by the broker; the engine never
 * compares them, it relies on the order in which a reader yields them.
 */
export type Position = string | number

export interface Header {
  readonly name: string
  readonly value: Buffer | null
}

/**
 * One record. `null` is different from empty: a Kafka tombstone has a null value. Buffers are never modified.
 *
 * A record that the source cannot read (its bytes are broken, or larger than its limit once decoded) is still a record:
 * `poison` says why, `value` is the bytes as the broker gave them, and key, headers and timestamp are whatever is known
 * (`null`, none, 0). No sink is ever given one: the engine sets it aside, or stops at it.
 */
export interface BridgeRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly Header[]
  /** Milliseconds since the epoch, as the source says it. */
  readonly timestamp: number
  readonly position: Position
  /** Why it cannot be read, kind `poison`. Absent on a record like any other. */
  readonly poison?: BridgeError
}

/** Consecutive records of one partition, in the partition's order. Never empty. */
export interface SourceBatch {
  readonly count: number
  /** Payload bytes (keys, values, headers) as they count against the memory bound. */
  readonly bytes: number
  readonly first: Position
  readonly last: Position
  /** Milliseconds since the epoch of the newest record; 0 where it is not known, which says nothing of the lag. */
  readonly lastTimestamp: number
  /**
   * Decodes on the first call, returns the same array afterwards: always `count` records. Never throws: what cannot be
   * decoded is a record with `poison`.
   */
  records(): readonly BridgeRecord[]
}

/** "Unknown" is a value: it is neither zero nor infinite. At least one of the two figures is present when known. */
export type Lag =
  | { readonly kind: 'known'; readonly records?: number; readonly seconds?: number }
  | { readonly kind: 'unknown'; readonly reason: string }

/** How far a partition is settled. `ended` is true once, when the partition is finished and all of it is settled. */
export interface Progress {
  /** Everything up to and including this position is settled; undefined when nothing was read before the end. */
  readonly position: Position | undefined
  readonly ended: boolean
}

/**
 * How a source learns that records are settled (acknowledged by the sink, filtered on purpose, or dead-lettered).
 * - `watermark`: the engine reports the contiguous watermark now and then, at drain and at the end. `commit` rejects with
 *   a BridgeError; reason `Fenced` means that another owner has the partition and this reader must be dropped.
 * - `individual`: the engine reports each settled range of a batch as it happens (Pub/Sub acknowledgements).
 */
export type Settlement =
  | { readonly kind: 'watermark'; commit(progress: Progress): Promise<void> }
  | { readonly kind: 'individual'; settled(batch: SourceBatch, indexes: readonly number[] | 'all'): void }

/**
 * One partition (or shard, or subscription) owned by this process, for one ownership epoch. When ownership is lost and
 * won again the source makes a new reader with a greater epoch; nothing of the old one is committed any more.
 */
export interface PartitionReader {
  /** Unique within the source, stable across owners: `orders/3`, `shardId-000000000001`. */
  readonly partition: string
  /** The topic, stream or event hub it is a partition of, where a source reads several; undefined: the one that the source is named after. */
  readonly stream: string | undefined
  readonly epoch: number
  readonly settlement: Settlement
  /**
   * Waits for records and returns them; undefined when there are none for now (the engine asks again at once, so this
   * must wait, not spin); `'end'` when the partition is closed and fully read. Called again only after it returned, and
   * only when there is room: not being asked is the backpressure, a source buffers at most one fetch per partition.
   * Rejects with a BridgeError; the engine reports it, backs off and asks again.
   */
  poll(signal: AbortSignal): Promise<SourceBatch | 'end' | undefined>
  /** Last known distance between the end of the partition and the committed position. Cheap, no I/O. */
  lag(): Lag
}

/** What the engine offers a running source. */
export interface SourceHost {
  /** A partition is owned from now on. The engine starts to poll it. */
  assigned(reader: PartitionReader): void
  /**
   * Ownership ends. `drain`: the engine stops polling, waits for what is in flight (bounded by its drain timeout),
   * commits, and resolves; the source then gives the partition away. `lost`: ownership is gone already; everything in
   * flight is dropped, nothing is committed. After it resolves the engine uses the reader no more.
   */
  revoked(reader: PartitionReader, how: 'drain' | 'lost'): Promise<void>
  /** The state of the connection: undefined when it works, the error while it does not. Idempotent. */
  connection(error: BridgeError | undefined): void
  /** The connection works, and yet records wait that cannot be read, for this reason; undefined when none do. Idempotent. */
  waiting(error: BridgeError | undefined): void
  /** Partitions of the whole source that can be worked on in parallel (the cap for replicas); undefined when unknown or unbounded. */
  partitions(total: number | undefined): void
  /** So many records came again and were settled without being handed over: the sink has them. Counted, so that it shows. */
  repeated(records: number): void
}

export interface Source extends AsyncDisposable {
  /**
   * Finds partitions, takes part in their distribution over replicas, and hands readers to the host, until the signal
   * aborts (then: revokes every reader with `drain`, releases ownership, resolves). Rejects with a BridgeError when it
   * cannot go on; the engine reports it, backs off and calls it again, so that it recovers when the cause is gone.
   */
  run(host: SourceHost, signal: AbortSignal): Promise<void>
}

/** Records of one source partition for one sink request, in order. */
export interface SinkBatch {
  /** `${kind}/${stream}/${partition}`: with the record's position it makes the `streambridge-source-id`. */
  readonly origin: string
  readonly partition: string
  /** The source stream that it is a partition of: topic, stream, subscription, event hub. */
  readonly stream: string
  /** The ownership epoch of the reader it came from. */
  readonly epoch: number
  readonly bytes: number
  readonly count: number
  /** Of the first and the last source record it has something of. */
  readonly first: Position
  readonly last: Position
  /** None of them is poison. */
  records(): readonly BridgeRecord[]
}

/** Failures by index into the batch. An index that is absent is delivered: stored durably by the sink. */
export type WriteResult = ReadonlyMap<number, BridgeError>
export const allDelivered: WriteResult = new Map()

/** Takes the indexes of records that are stored durably while the write goes on, in any order. */
export type PartialAcknowledgement = (indexes: readonly number[]) => void

export interface SinkLimits {
  readonly maxRecords: number
  readonly maxBytes: number
  /** Bytes of the largest record it takes (key, value, headers), about; absent where it is not known. */
  readonly largestRecord?: number
}

export interface Sink extends AsyncDisposable {
  /** How much one `write` takes at most; the engine merges and splits batches accordingly. Asked for after `open`. */
  readonly limits: SinkLimits
  /** Connects and checks that the target exists and may be written. Rejects with a BridgeError; called again until it succeeds. */
  open(signal: AbortSignal): Promise<void>
  /**
   * Writes records and says what became of each.
   *
   * *Guarantees*: records with the same key reach the sink in the batch's order, and of each key the delivered ones are
   * a prefix: a record is never stored behind a failed one of its key. An ambiguous result (timeout, connection lost
   * after sending) is a retryable failure, never a delivery. The engine sends the failed records again in their order and
   * never has two writes with the same key in flight. Calls for different lanes overlap.
   *
   * *Errors*: resolves with failures; a rejection counts as a retryable failure of every record that was not reported stored.
   * A TypeError or a RangeError counts as a fault at one of the records: they are written again in halves until it stands alone.
   *
   * @param stored for a sink that needs several requests: called with indexes as soon as they are known to be stored, each
   *   once and before the result. They settle without waiting for the rest, so that a crash repeats less. The result
   *   covers them too: they are in no failure.
   */
  write(batch: SinkBatch, signal: AbortSignal, stored?: PartialAcknowledgement): Promise<WriteResult>
}

/** What an append sink says of a batch it was given. */
export interface Receipt {
  /** By index into the batch. An index that is absent is accepted: the sink has it in its own keeping. */
  readonly failures: ReadonlyMap<number, BridgeError>
  /**
   * Resolves when what was accepted is stored durably. Rejects when it never will be: the engine then reads the source again from
   * what is committed. What may pass (an upload that fails) the sink tries again by itself.
   */
  readonly durable: Promise<void>
}

/**
 * A sink whose records are durable later than they are accepted: those of a file are when the file is complete. Records
 * leave the memory bound when they are accepted, and positions move when they are durable.
 */
export interface AppendSink extends AsyncDisposable {
  readonly limits: SinkLimits
  open(signal: AbortSignal): Promise<void>
  /** As `Sink.write`, with the same guarantees for a key; a rejection counts as a retryable failure of every record. */
  append(batch: SinkBatch, signal: AbortSignal): Promise<Receipt>
  /** Makes durable what was accepted of this partition, as soon as possible. Resolves at the latest when the deadline aborts. Never rejects. */
  flush(partition: string, deadline: AbortSignal): Promise<void>
}

/** What a stage makes of records. */
export interface Derived {
  /** In order. One with `poison` could not be made: it holds the input as it was, and is set aside in its place. */
  readonly records: readonly BridgeRecord[]
  /** Of each output the index of its input, ascending; absent where each input has one output, in its place. */
  readonly parents?: Uint32Array | undefined
  /** What became of the records in each step of the stage, where it has several. */
  readonly steps?: readonly StepFigures[] | undefined
}

/** What one step of a stage did. */
export interface StepFigures {
  /** Names it in metrics and on the status: `spec.transforms[0].filter`. */
  readonly step: string
  readonly in: number
  /** Records without an output. */
  readonly filtered: number
  /** Records it could not take. */
  readonly failed: number
  readonly seconds: number
}

/**
 * One step between a source and the sink: it keeps, changes, drops or multiplies the records of one partition. The
 * key of the output chooses the lane.
 *
 * *Guarantees the engine gives*: records of a partition come in order; no poison comes in. A source record is settled when all of
 * its outputs are; without any it is settled at once, and counted as filtered.
 */
export interface Stage {
  /** Names it in metrics and messages: `filter`. */
  readonly name: string
  /**
   * Called before `apply` with the same records: resolves when all that they need is there (a schema, a table); undefined
   * when it is already. Rejects with a retryable BridgeError; called again after a backoff.
   */
  prepare?(records: readonly BridgeRecord[], signal: AbortSignal): Promise<void> | undefined
  /** No I/O, no clock, no chance: a record that is read again gives the same. The same array means that nothing was changed. Does not throw. */
  apply(records: readonly BridgeRecord[]): Derived
}

/** How order is kept between source and sink: per key, per whole partition, or not at all. */
export type Ordering = 'PerKey' | 'PerPartition' | 'None'

/** The header that identifies a record's origin on every sink that has headers. */
export const sourceIdHeader = 'streambridge-source-id'
