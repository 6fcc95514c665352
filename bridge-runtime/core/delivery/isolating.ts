import type { BridgeRecord, WriteResult } from '../contracts.ts'
import { BridgeError } from '../errors.ts'
import { encodingFault } from './encoding-fault.ts'
import { heldBack } from './held-back.ts'
import type { WriteBatch } from './write-batch.ts'
import type { Writer } from './writer.ts'

/** Thrown for a record alone so often in a row, it is taken for the record's: what passes has had time to. */
const faultsUntilPoison = 3

/**
 * Finds the record at which a connector throws: it met a value that it was not made for, and gave up with that one all the others,
 * for ever. The request is halved until the record stands alone; what is behind it is held back.
 */
export function isolating(inner: Writer): Writer {
  let suspect: { readonly record: BridgeRecord | undefined; readonly faults: number } | undefined

  /** Poison when it was thrown for this record again and again. */
  const judged = (record: BridgeRecord | undefined, fault: BridgeError): BridgeError => {
    const faults = suspect?.record === record ? (suspect?.faults ?? 0) + 1 : 1
    suspect = { record, faults }
    return faults < faultsUntilPoison
      ? fault
      : new BridgeError(fault.message, { kind: 'poison', reason: fault.reason, cause: fault })
  }

  const write = async (batch: WriteBatch, signal: AbortSignal): Promise<WriteResult> => {
    const result = await inner.write(batch, signal)
    const fault = [...result.values()].find(({ reason }) => reason === encodingFault)
    if (fault === undefined || signal.aborted) return result
    if (batch.count === 1) return new Map([[0, judged(batch.records()[0], fault)]])
    // Without those that were stored before it threw.
    const left = [...result.keys()].sort((a, b) => a - b)
    const middle = Math.ceil(left.length / 2)
    const failures = new Map<number, BridgeError>()
    for (const half of [left.slice(0, middle), left.slice(middle)]) {
      if (half.length === 0) continue
      const held = failures.size > 0
      const failed = held ? half.map((_, at) => [at, heldBack] as const) : await write(batch.only(half), signal)
      for (const [at, error] of failed) failures.set(half[at] as number, error)
    }
    return failures
  }
  return { write }
}
