import { InFlightBatch } from '../commit/in-flight-batch.ts'
import type { BridgeRecord, WriteResult } from '../contracts.ts'
import { BridgeError } from '../errors.ts'
import { batchOf, deadLetterRecord } from './dead-letter-record.ts'
import { type Origin, recordBytes, WriteBatch, wholeSlice } from './write-batch.ts'
import type { Writer } from './writer.ts'

export interface DeadLetterOptions {
  /** Writes to the dead-letter sink, again and again. Absent: nothing is set aside, the partition stops at the record. */
  readonly deadLetters: Writer | undefined
  /** These indexes of the batch are set aside: their source record is stored by the dead-letter sink, now or with an earlier output. */
  readonly deadLettered: (batch: WriteBatch, index: number, reason: BridgeError['reason'], first: boolean) => void
  /** The partition must stop; the error names the record, and the component is the one that cannot take it. */
  readonly halt: (component: Stop['component'], error: BridgeError) => void
}

interface Stop {
  readonly component: 'source' | 'transform' | 'sink'
  readonly fate: string
}

/**
 * Sets poison records aside one by one, in order, as their source gave them. One that is not set aside stays poison in the result, and
 * so do those behind it.
 */
export const deadLettering = (inner: Writer, options: DeadLetterOptions): Writer => ({
  async write(batch, signal) {
    const result = await inner.write(batch, signal)
    const poison = [...result].filter(([, error]) => error.kind === 'poison').sort(([one], [other]) => one - other)
    if (poison.length === 0) return result
    const rest = new Map(result)
    for (const [index, error] of poison) {
      if (signal.aborted || !(await setAside({ batch, index, error }, options, signal))) return rest
      rest.delete(index)
    }
    return rest
  },
})

interface Poison {
  readonly batch: WriteBatch
  readonly index: number
  readonly error: BridgeError
}

async function setAside(
  { batch, index, error }: Poison,
  options: DeadLetterOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const [part] = batch.locate([index])
  const output = part?.indexes[0]
  if (part === undefined || output === undefined)
    throw new TypeError(`a sink reported index ${index} of ${batch.count} records`)
  const record = part.batch.sourceRecord(output)
  const unmade = batch.records()[index]?.poison !== undefined
  const { component, fate } = stopOf(record, unmade)
  const stop = (reason: string): false => {
    const message = `${batch.origin} at ${record.position} cannot be ${fate}: ${reason}`
    options.halt(component, new BridgeError(message, { kind: 'poison', reason: error.reason, cause: error }))
    return false
  }
  const { deadLetters } = options
  if (deadLetters === undefined) return stop(error.message)
  const first = part.batch.firstDeadLetter(output)
  if (first) {
    const attempts = unmade ? 0 : batch.attempts + 1
    const refused = await write(deadLetters, batch, deadLetterRecord(record, batch.origin, { error, attempts }), signal)
    if (refused?.kind === 'poison')
      return stop(`${error.message}; the dead-letter sink refuses it too: ${refused.message}`)
    if (refused !== undefined) return false
  }
  options.deadLettered(batch, index, error.reason, first)
  return true
}

function stopOf(record: BridgeRecord, unmade: boolean): Stop {
  if (record.poison !== undefined) return { component: 'source', fate: 'read' }
  return unmade ? { component: 'transform', fate: 'transformed' } : { component: 'sink', fate: 'delivered' }
}

/** Resolves with why it is not stored; undefined when it is. */
async function write(
  deadLetters: Writer,
  origin: Origin,
  record: BridgeRecord,
  signal: AbortSignal,
): Promise<BridgeError | undefined> {
  const batch = new InFlightBatch(batchOf([record], recordBytes(record)), 0)
  const result: WriteResult = await deadLetters.write(new WriteBatch(origin, [wholeSlice(batch)]), signal)
  return result.get(0)
}
