import type { BridgeRecord, PartitionReader, Settlement, SourceBatch } from '../contracts.ts'
import type { RateLimit } from './rate-limit.ts'

/** Consecutive records of a batch. */
class Part implements SourceBatch {
  readonly whole: SourceBatch
  readonly from: number
  readonly count: number
  readonly bytes: number
  readonly lastTimestamp: number

  constructor(whole: SourceBatch, from: number, count: number) {
    this.whole = whole
    this.from = from
    this.count = count
    this.bytes = Math.ceil((whole.bytes * count) / whole.count)
    this.lastTimestamp = whole.lastTimestamp
  }

  get first() {
    return this.from === 0 ? this.whole.first : this.#at(this.from).position
  }

  get last() {
    const end = this.from + this.count
    return end === this.whole.count ? this.whole.last : this.#at(end - 1).position
  }

  records(): readonly BridgeRecord[] {
    return this.whole.records().slice(this.from, this.from + this.count)
  }

  #at(index: number): BridgeRecord {
    return this.whole.records()[index] as BridgeRecord
  }
}

/**
 * A reader whose records come as the rate lets them go: a batch in parts. What a stop leaves of a batch was not polled: it is read
 * again.
 */
export class RateLimitedReader implements PartitionReader {
  readonly partition: string
  readonly stream: string | undefined
  readonly epoch: number
  readonly settlement: Settlement
  readonly #reader: PartitionReader
  readonly #rateLimit: RateLimit
  #waiting = false
  #rest: { readonly batch: SourceBatch; readonly from: number } | undefined

  constructor(reader: PartitionReader, rateLimit: RateLimit) {
    this.#reader = reader
    this.#rateLimit = rateLimit
    this.partition = reader.partition
    this.stream = reader.stream
    this.epoch = reader.epoch
    this.settlement = inParts(reader.settlement)
  }

  /** It waits for the rate: that is what holds the partition back. What is not asked for waits for something else. */
  get limited(): boolean {
    return this.#waiting
  }

  async poll(signal: AbortSignal): Promise<SourceBatch | 'end' | undefined> {
    if (this.#rest === undefined) {
      const batch = await this.#reader.poll(signal)
      if (batch === undefined || batch === 'end') return batch
      this.#rest = { batch, from: 0 }
    }
    const { batch, from } = this.#rest
    this.#waiting = true
    const given = await this.#rateLimit.take(batch.count - from, signal)
    this.#waiting = false
    if (signal.aborted) return undefined
    this.#rest = from + given === batch.count ? undefined : { batch, from: from + given }
    return given === batch.count ? batch : new Part(batch, from, given)
  }

  lag() {
    return this.#reader.lag()
  }
}

/** An individual settlement hears of the batches that its reader gave. */
function inParts(settlement: Settlement): Settlement {
  if (settlement.kind !== 'individual') return settlement
  const all = ({ count }: SourceBatch): readonly number[] => Array.from({ length: count }, (_, index) => index)
  return {
    kind: 'individual',
    settled(batch, indexes) {
      if (!(batch instanceof Part)) return settlement.settled(batch, indexes)
      const { whole, from } = batch
      settlement.settled(
        whole,
        (indexes === 'all' ? all(batch) : indexes).map((index) => from + index),
      )
    },
  }
}
