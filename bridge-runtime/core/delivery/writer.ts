import type { AppendSink, Sink, WriteResult } from '../contracts.ts'
import { asBridgeError, BridgeError } from '../errors.ts'
import { faultOf } from './encoding-fault.ts'
import type { Part, WriteBatch } from './write-batch.ts'

/**
 * Writes a batch as far as it goes. Wrapped, each wrapper for one thing: what cannot be read, what is set aside, what is tried again.
 *
 * *Guarantees*: resolves with failures by index into the batch; of what is in none of them the owner was told already. Never rejects.
 */
export interface Writer {
  write(batch: WriteBatch, signal: AbortSignal): Promise<WriteResult>
}

/** What is told of records that a sink has taken. */
export interface Acceptance {
  /** The sink has them in its keeping: they need no memory here. Called before `durable`. */
  readonly accepted: (parts: readonly Part[], bytes: number) => void
  /** They are stored durably. */
  readonly durable: (parts: readonly Part[], records: number, bytes: number) => void
  /** What was accepted will never be durable: it has to be read again. */
  readonly lost: (error: BridgeError) => void
}

/** For a sink whose records nobody waits for one by one. */
export const untold: Acceptance = { accepted: () => undefined, durable: () => undefined, lost: () => undefined }

/** A sink whose write resolves when the records are durable, whatever that costs. */
export const durably = (sink: Sink | AppendSink): Sink =>
  'append' in sink
    ? {
        limits: sink.limits,
        open: (signal) => sink.open(signal),
        [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
        async write(batch, signal) {
          const { failures, durable } = await sink.append(batch, signal)
          await Promise.all([durable, sink.flush(batch.partition, signal)])
          return failures
        },
      }
    : sink

/** Writes to a sink, once. */
export const sinkWriter = (sink: Sink | AppendSink, acceptance: Acceptance): Writer =>
  'append' in sink ? appending(sink, acceptance) : storing(sink, acceptance)

const storing = (sink: Sink, { accepted, durable }: Acceptance): Writer => ({
  async write(batch, signal) {
    const early = new Set<number>()
    let over = false
    const settle = (parts: readonly Part[], records: number): void => {
      const bytes = (batch.bytes * records) / batch.count
      accepted(parts, bytes)
      durable(parts, records, bytes)
    }
    const result = await outcome(
      () =>
        sink.write(batch, signal, (indexes) => {
          if (over) return
          for (const index of indexes) early.add(index)
          settle(batch.locate(indexes.toSorted((a, b) => a - b)), indexes.length)
        }),
      batch,
      early,
    )
    over = true
    if (result.size === 0 && early.size === 0) settle(batch.parts(), batch.count)
    else {
      const rest = others(batch.count, (index) => result.has(index) || early.has(index))
      if (rest.length > 0) settle(batch.locate(rest), rest.length)
    }
    return result
  },
})

const appending = (sink: AppendSink, { accepted, durable, lost }: Acceptance): Writer => ({
  async write(batch, signal) {
    const { bytes, count } = batch
    let stored: Promise<void> | undefined
    const result = await outcome(
      async () => {
        const receipt = await sink.append(batch, signal)
        stored = receipt.durable
        return receipt.failures
      },
      batch,
      new Set(),
    )
    if (stored === undefined) return result
    const taken = others(count, (index) => result.has(index))
    if (taken.length === 0) {
      // Nothing of this one was accepted: what becomes of the others is theirs to hear.
      stored.catch(() => undefined)
      return result
    }
    const parts = taken.length === count ? batch.parts() : batch.locate(taken)
    const size = (bytes * taken.length) / count
    accepted(parts, size)
    stored.then(
      () => durable(parts, taken.length, size),
      (thrown: unknown) => lost(asBridgeError(thrown)),
    )
    return result
  },
})

const others = (count: number, excluded: (index: number) => boolean): readonly number[] => {
  const left: number[] = []
  for (let index = 0; index < count; index += 1) if (!excluded(index)) left.push(index)
  return left
}

/** A rejected request says nothing about one record: never poison, and what was stored is unknown, so all is sent again. */
async function outcome(
  attempt: () => Promise<WriteResult>,
  batch: WriteBatch,
  stored: ReadonlySet<number>,
): Promise<WriteResult> {
  try {
    return await attempt()
  } catch (thrown) {
    const known = faultOf(thrown) ?? asBridgeError(thrown)
    const error =
      known.kind === 'poison'
        ? new BridgeError(known.message, { kind: 'retryable', reason: known.reason, cause: known })
        : known
    return new Map(others(batch.count, (index) => stored.has(index)).map((index) => [index, error]))
  }
}
