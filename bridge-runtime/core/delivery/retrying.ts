import { backoff, type BackoffSettings } from '../backoff.ts'
import type { Clock } from '../clock.ts'
import { allDelivered, type WriteResult } from '../contracts.ts'
import type { BridgeError } from '../errors.ts'
import { heldBack } from './held-back.ts'
import type { WriteBatch } from './write-batch.ts'
import type { Writer } from './writer.ts'

export interface RetryOptions {
  readonly backoff: BackoffSettings
  readonly clock: Clock
  readonly random: () => number
  /** The write failed with this error and will be tried again; undefined: nothing fails that may pass. */
  readonly failing: (error: BridgeError | undefined) => void
  readonly retried: (records: number) => void
}

/**
 * Writes until nothing is left that may pass. Failed records are sent again in their order before anything that comes
 * later, so the order of a key survives. What is poison at the end stopped it; with an abort the rest fails as it did last.
 */
export const retrying = (inner: Writer, options: RetryOptions): Writer => ({
  async write(batch, signal) {
    const { clock, random } = options
    let rest: Rest = { batch, indexes: undefined }
    for (let attempt = 0; ; attempt += 1) {
      rest.batch.attempts = attempt
      const result = await inner.write(rest.batch, signal)
      const worst = worstOf(result)
      if (worst === undefined && !(signal.aborted && result.size > 0)) options.failing(undefined)
      if (result.size === 0) return allDelivered
      const failures = byBatch(result, rest)
      if (signal.aborted || hasPoison(result)) return failures
      rest = only(rest, result)
      if (worst === undefined) continue
      options.failing(worst)
      options.retried(result.size)
      await clock.sleep(backoff(options.backoff, attempt, random), signal)
      if (signal.aborted) return failures
    }
  },
})

/** What is left of a batch. */
interface Rest {
  readonly batch: WriteBatch
  /** Of each record its index in the whole; undefined while all of it is left. */
  readonly indexes: readonly number[] | undefined
}

const byBatch = (result: WriteResult, { indexes }: Rest): WriteResult =>
  indexes === undefined ? result : new Map([...result].map(([index, error]) => [indexes[index] as number, error]))

function only({ batch, indexes }: Rest, failed: WriteResult): Rest {
  if (failed.size === batch.count) return { batch, indexes }
  const again = [...failed.keys()].sort((a, b) => a - b)
  return {
    batch: batch.only(again),
    indexes: indexes === undefined ? again : again.map((index) => indexes[index] as number),
  }
}

const hasPoison = (result: WriteResult): boolean => [...result.values()].some(({ kind }) => kind === 'poison')

/** Of what may pass. Fatal counts more than retryable: it needs a person. A record held back has no error of its own. */
function worstOf(result: WriteResult): BridgeError | undefined {
  let worst: BridgeError | undefined
  for (const error of result.values()) {
    if (error.kind === 'poison' || error.reason === heldBack.reason) continue
    if (worst === undefined || (error.kind === 'fatal' && worst.kind !== 'fatal')) worst = error
  }
  return worst
}
