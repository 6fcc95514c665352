import { BridgeError } from '../../../core/errors.ts'
import { gapAdvice } from '../../../history/advice.ts'
import type { TopicPartition } from '../protocol/topic-partition.ts'

/** What the person is told when records are gone, or a position is. */
export const dataGap = (one: TopicPartition, detail: string): BridgeError =>
  new BridgeError(
    `topic "${one.topic}" partition ${one.partition}: ${detail}: ${gapAdvice()}, or set the consumer group's offsets by hand`,
    { kind: 'fatal', reason: 'DataGap' },
  )
