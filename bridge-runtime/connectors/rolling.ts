/** An append sink over parts (a file, an upload) that are closed by size, age and count. */
import { type BackoffSettings, backoff } from '../core/backoff.ts'
import type { Clock } from '../core/clock.ts'
import type { AppendSink, Receipt, SinkBatch, SinkLimits } from '../core/contracts.ts'
import { asBridgeError, type BridgeError } from '../core/errors.ts'

/** Where records are collected until it is complete. Nobody sees anything of it before. */
export interface RollingPart {
  /** Adds records in order. Resolves with failures by index, and the bytes that the part has now, as it is stored. */
  append(
    batch: SinkBatch,
    signal: AbortSignal,
  ): Promise<{ readonly failures: Receipt['failures']; readonly bytes: number }>
  /** Makes it durable and visible, as a whole. Called again after a retryable error; a fatal one means that it never will be. */
  complete(): Promise<void>
  /** It is not wanted any more. */
  abandon(): Promise<void>
}

export interface RollingOptions {
  readonly limits: SinkLimits
  /** Checks that the target is there and may be written. */
  readonly open: (signal: AbortSignal) => Promise<void>
  /** Begins the next part of a partition; the batch is the first it will hold, and names it. */
  readonly begin: (first: SinkBatch) => Promise<RollingPart>
  readonly roll: {
    readonly maxBytes: number
    readonly maxRecords: number
    /** Milliseconds since its first record. */
    readonly maxAge: number
  }
  readonly backoff: BackoffSettings
  readonly clock: Clock
  readonly random: () => number
  readonly close: () => Promise<void>
}

interface Open {
  readonly part: RollingPart
  readonly durable: PromiseWithResolvers<void>
  readonly closed: AbortController
  records: number
}

/** The parts of one partition: one is open, those before it are being completed. */
class Partition {
  readonly #options: RollingOptions
  readonly #closed: AbortSignal
  #open: Open | undefined
  /** One append at a time. */
  #turn: Promise<unknown> = Promise.resolve()
  readonly #completing = new Set<Promise<void>>()
  #failure: BridgeError | undefined

  constructor(options: RollingOptions, closed: AbortSignal) {
    this.#options = options
    this.#closed = closed
  }

  append(batch: SinkBatch, signal: AbortSignal): Promise<Receipt> {
    const receipt = this.#turn.then(() => this.#append(batch, signal))
    this.#turn = receipt.catch(() => undefined)
    return receipt
  }

  /** Resolves when all that was accepted is durable, or lost. */
  async flush(): Promise<void> {
    await this.#turn
    this.#roll()
    await Promise.all(this.#completing)
  }

  async abandon(): Promise<void> {
    await this.#turn
    await this.#open?.part.abandon()
    this.#open?.closed.abort()
  }

  async #append(batch: SinkBatch, signal: AbortSignal): Promise<Receipt> {
    // What cannot be completed is told, and what comes after it waits: nothing piles up.
    if (this.#failure !== undefined) throw this.#failure
    const open = (this.#open ??= await this.#begin(batch))
    const { failures, bytes } = await open.part.append(batch, signal)
    open.records += batch.count - failures.size
    const { maxBytes, maxRecords } = this.#options.roll
    if (bytes >= maxBytes || open.records >= maxRecords) this.#roll()
    return { failures, durable: open.durable.promise }
  }

  async #begin(batch: SinkBatch): Promise<Open> {
    const { begin, clock, roll } = this.#options
    const open: Open = {
      part: await begin(batch),
      durable: Promise.withResolvers<void>(),
      closed: new AbortController(),
      records: 0,
    }
    void clock.sleep(roll.maxAge, AbortSignal.any([open.closed.signal, this.#closed])).then(() => {
      if (this.#open === open) return this.#turn.then(() => this.#open === open && this.#roll())
      return undefined
    })
    return open
  }

  #roll(): void {
    const open = this.#open
    if (open === undefined) return
    this.#open = undefined
    open.closed.abort()
    const completing = this.#complete(open).finally(() => this.#completing.delete(completing))
    this.#completing.add(completing)
  }

  async #complete({ part, durable, records }: Open): Promise<void> {
    const { clock, random } = this.#options
    if (records === 0) {
      durable.resolve()
      return part.abandon()
    }
    for (let attempt = 0; !this.#closed.aborted; attempt += 1) {
      try {
        await part.complete()
        this.#failure = undefined
        return durable.resolve()
      } catch (thrown) {
        const error = asBridgeError(thrown)
        if (error.kind === 'fatal') return durable.reject(error)
        this.#failure = error
        await clock.sleep(backoff(this.#options.backoff, attempt, random), this.#closed)
      }
    }
  }
}

/** Closing gives up what is not durable: the engine has flushed what it wants to keep. */
export function rollingSink(options: RollingOptions): AppendSink {
  const partitions = new Map<string, Partition>()
  const closed = new AbortController()
  return {
    limits: options.limits,
    open: (signal) => options.open(signal),
    append(batch, signal) {
      let partition = partitions.get(batch.partition)
      if (partition === undefined) partitions.set(batch.partition, (partition = new Partition(options, closed.signal)))
      return partition.append(batch, signal)
    },
    async flush(partition, deadline) {
      const over = new Promise<void>((resolve) => {
        if (deadline.aborted) resolve()
        else deadline.addEventListener('abort', () => resolve(), { once: true })
      })
      await Promise.race([partitions.get(partition)?.flush(), over])
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...partitions.values()].map((partition) => partition.abandon()))
      closed.abort()
      await options.close()
    },
  }
}
