/** What becomes of the records of one write that goes out in several requests, shared with other writes. */
import type { PartialAcknowledgement, WriteResult } from '../../core/contracts.ts'
import { BridgeError } from '../../core/errors.ts'

const aborted = new BridgeError('the write was given up; it is not known which records were stored', {
  kind: 'retryable',
  reason: 'Aborted',
})

export interface WriteOutcome {
  /** Undefined: stored. Only the first word on a record counts. */
  readonly settle: (index: number, failure: BridgeError | undefined) => void
  /** False when nobody waits for word on the record any more. */
  readonly isOpen: (index: number) => boolean
}

export interface WriteOptions {
  /** Records of the write. */
  readonly count: number
  /** When it aborts, all that is open has failed as retryable. */
  readonly signal: AbortSignal
  /** Told what was stored before the last record is settled; what settles in one turn is told together. */
  readonly stored: PartialAcknowledgement | undefined
}

/** Calls `send`, unless the signal has aborted already, and resolves when every record is settled. */
export const writing = (
  { count, signal, stored }: WriteOptions,
  send: (outcome: WriteOutcome) => void,
): Promise<WriteResult> =>
  new Promise((resolve) => {
    const failures = new Map<number, BridgeError>()
    const settled = new Uint8Array(count)
    let open = count
    let reported: number[] = []
    const report = (index: number): void => {
      if (stored === undefined || reported.push(index) > 1) return
      queueMicrotask(() => {
        if (open > 0) stored(reported)
        reported = []
      })
    }
    const settle = (index: number, failure: BridgeError | undefined): void => {
      if (settled[index] !== 0) return
      settled[index] = 1
      open -= 1
      if (failure === undefined) report(index)
      else failures.set(index, failure)
      if (open > 0) return
      signal.removeEventListener('abort', abandon)
      resolve(failures)
    }
    const abandon = (): void => {
      for (let index = 0; index < count; index += 1) settle(index, aborted)
    }
    if (signal.aborted) return abandon()
    signal.addEventListener('abort', abandon, { once: true })
    send({ settle, isOpen: (index) => settled[index] === 0 })
  })
