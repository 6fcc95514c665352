/** What a source whose service shares out no partitions has to say, and what it is given. */
import type { PartitionReader, Progress } from '../core/contracts.ts'
import type { BridgeError } from '../core/errors.ts'
import type { FoundStream, HistoryContent } from '../history/content.ts'
import type { Checkpoint } from '../lease-stores/lease-store.ts'
import type { ListedPartition } from './lineage.ts'

/** A partition that this replica owns from now on. */
export interface Ownership {
  readonly partition: string
  readonly epoch: number
  /** Where the reader goes on. */
  readonly checkpoint: Checkpoint
  /** Where it begins without a position: what the source said when it began, or `Earliest`. */
  readonly start: string
  /** What the position is a position of. */
  readonly stream: FoundStream
  /** The reader met another stream under that name: the source is looked at again at once. */
  readonly lookAgain: () => void
  /** The reader's settlement: rejects with `Fenced` once ownership is lost. */
  readonly commit: (progress: Progress) => Promise<void>
}

/** What the coordinator needs of a source. */
export interface PartitionedSource {
  /** The stream's name in the history, known without asking anybody. */
  readonly name: string
  /** True for an error of `identify` that says that there is no such stream: one that appears later is read from its first record. */
  readonly isMissing: (error: BridgeError) => boolean
  /** The stream as it is now. Rejects with a BridgeError; tried again. */
  identify(signal: AbortSignal): Promise<FoundStream>
  /** Where the partitions begin that there are now, in words that `open` is given. Asked once, before anything is read. */
  begin(signal: AbortSignal): Promise<string>
  /** The partitions that the service lists now. Rejects with a BridgeError; tried again. */
  discover(signal: AbortSignal): Promise<readonly ListedPartition[]>
  /** No I/O: the first poll may do that. The host is given another object, of the same partition and epoch. */
  open(ownership: Ownership): PartitionReader
  /** True when no partition can appear once all are finished: `coordinate` then resolves. */
  readonly finite: boolean
}

/** The source as it was last seen. */
export interface Scene {
  readonly stream: FoundStream
  /** What every position of it carries. */
  readonly tag: string
  readonly content: HistoryContent
  readonly listing: ReadonlyMap<string, ListedPartition>
}
