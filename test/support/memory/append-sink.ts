import type { AppendSink, BridgeRecord, Receipt, SinkBatch } from '../../../bridge-runtime/core/contracts.ts'
import { BridgeError } from '../../../bridge-runtime/core/errors.ts'

export interface MemoryAppendSinkOptions {
  /** Records of a partition after which they become durable. */
  readonly roll: number
  /** True: this completion, counted from 1, is lost, and with it the records. */
  readonly lose?: (completion: number) => boolean
  /** Awaited before accepted records become durable. */
  readonly gate?: () => Promise<unknown>
}

interface Open {
  readonly records: BridgeRecord[]
  readonly durable: PromiseWithResolvers<void>
}

/** Accepts records at once and stores them a part at a time, as files are. */
export class MemoryAppendSink implements AppendSink {
  readonly limits = { maxRecords: 7, maxBytes: 1_000_000 }
  /** What is durable, in the order in which it became so. */
  readonly stored: BridgeRecord[] = []
  /** What was given, each time. */
  readonly batches: SinkBatch[] = []
  readonly #open = new Map<string, Open>()
  readonly #options: MemoryAppendSinkOptions
  #completions = 0

  constructor(options: MemoryAppendSinkOptions) {
    this.#options = options
  }

  /** Records that are accepted and not durable. */
  get accepted(): readonly BridgeRecord[] {
    return [...this.#open.values()].flatMap(({ records }) => records)
  }

  get pending(): number {
    return this.accepted.length
  }

  open(): Promise<void> {
    return Promise.resolve()
  }

  append(batch: SinkBatch): Promise<Receipt> {
    this.batches.push(batch)
    const open = this.#open.get(batch.partition) ?? { records: [], durable: Promise.withResolvers<void>() }
    this.#open.set(batch.partition, open)
    open.records.push(...batch.records())
    if (open.records.length >= this.#options.roll) void this.#complete(batch.partition)
    return Promise.resolve({ failures: new Map(), durable: open.durable.promise })
  }

  async flush(partition: string): Promise<void> {
    await this.#complete(partition)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve()
  }

  async #complete(partition: string): Promise<void> {
    const open = this.#open.get(partition)
    if (open === undefined) return
    this.#open.delete(partition)
    await this.#options.gate?.()
    if (this.#options.lose?.(++this.#completions) === true)
      return open.durable.reject(
        new BridgeError('the disk is gone', { kind: 'retryable', reason: 'EndpointUnreachable' }),
      )
    this.stored.push(...open.records)
    open.durable.resolve()
  }
}
