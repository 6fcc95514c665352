import type { BridgeError } from '../../../core/errors.ts'
import type { TopicPartition } from '../protocol/topic-partition.ts'

export interface ReaderOptions {
  readonly at: TopicPartition
  readonly epoch: number
  /** The topic's id: positions are of this topic, not of another one of its name. */
  readonly topicId: string
  /** Of the bridge's history: written beside each position. */
  readonly generation: number
  /** The offset to start at. */
  readonly offset: number
  readonly onDataGap: 'Stop' | 'Continue'
  readonly readCommitted: boolean
  /** Bytes of memory that one batch may take once decoded. */
  readonly maxMemory: number
  /** The source's path in the manifest. */
  readonly field: string
  /** Why this partition cannot be read until a person has looked: every poll rejects with it. */
  readonly gap?: BridgeError
}
