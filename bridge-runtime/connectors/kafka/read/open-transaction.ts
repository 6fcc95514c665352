/** Records behind an open transaction are not read before it ends: what is told of one that does not end. */
import { BridgeError } from '../../../core/errors.ts'
import type { TopicPartition } from '../protocol/topic-partition.ts'
import type { FetchedPartition } from '../protocol/wire.ts'

/** Milliseconds that one may hold records back before it is told: well-behaved ones take less. */
const gracePeriod = 15_000

export class OpenTransaction {
  readonly #at: TopicPartition
  readonly #field: string
  #held: { readonly offset: number; readonly since: number; readonly records: number } | undefined

  /** @param field the source's path in the manifest */
  constructor(at: TopicPartition, field: string) {
    this.#at = at
    this.#field = field
  }

  /** An answer to a fetch; `position` is the offset of the next one, `now` in milliseconds since the epoch. */
  saw(
    { lastStableOffset: offset, highWatermark }: Pick<FetchedPartition, 'lastStableOffset' | 'highWatermark'>,
    position: number,
    now: number,
  ): void {
    const holds = offset >= 0 && offset < highWatermark && position >= offset
    const since = this.#held?.offset === offset ? this.#held.since : now
    this.#held = holds ? { offset, since, records: highWatermark - offset } : undefined
  }

  /** Undefined while there is none, or not for long. */
  error(now: number): BridgeError | undefined {
    const held = this.#held
    if (held === undefined || now - held.since < gracePeriod) return undefined
    const where = `topic "${this.#at.topic}" partition ${this.#at.partition}`
    const advice = `its producer must commit or abort it (kafka-transactions.sh finds and aborts it), or set ${this.#field}.isolationLevel to ReadUncommitted`
    return new BridgeError(
      `${where}: ${held.records} records wait behind a transaction that is open at offset ${held.offset}: ${advice}`,
      { kind: 'retryable', reason: 'OpenTransaction' },
    )
  }
}
