import { BridgeError } from '../../../../core/errors.ts'
import { gapAdvice } from '../../../../history/advice.ts'
import type { TopicPartition } from '../../protocol/topic-partition.ts'

/**
 * Records that are there and cannot be read. Found again at each start, as long as nothing is decided: it needs no keeping,
 * and going on is behind it, not at the earliest record.
 */
export class UnreadableGap extends BridgeError {
  constructor({ topic, partition }: TopicPartition, detail: string, offset: number) {
    super(
      `topic "${topic}" partition ${partition}: ${detail}: mend the broker's log or read from another replica, or ${gapAdvice({ from: `at offset ${offset}` })}, or set the consumer group's offset by hand`,
      { kind: 'fatal', reason: 'DataGap' },
    )
  }
}
