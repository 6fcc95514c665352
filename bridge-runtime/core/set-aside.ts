import type { BackoffSettings } from './backoff.ts'
import { Cargo, recordBytes, wholeSlice } from './cargo.ts'
import type { Clock } from './clock.ts'
import type { Sink } from './contracts.ts'
import { batchOf, deadLetter } from './dead-letter.ts'
import { deliver, type Poison } from './delivery.ts'
import { BridgeError } from './errors.ts'
import { Watermark } from './watermark.ts'

export interface SetAsideOptions {
  /** Absent: nothing is set aside, the partition stops at the record. */
  readonly deadLetterSink: Sink | undefined
  readonly backoff: BackoffSettings
  readonly clock: Clock
  readonly random: () => number
  readonly failing: (error: BridgeError | undefined) => void
  readonly retried: (records: number) => void
  /** The dead-letter sink has acknowledged this record of the cargo. */
  lettered(index: number, reason: string): void
  /** The partition must stop; the error names the record, and the component is the one that cannot take it. */
  halt(component: 'source' | 'sink', error: BridgeError): void
}

/** Dead-letters poison records one by one, in order. Resolves false when the partition stops: halted, or aborted. */
export async function setAside(
  cargo: Cargo,
  poison: readonly Poison[],
  options: SetAsideOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const records = cargo.records()
  for (const { index, error, attempts } of poison) {
    const record = records[index]
    if (record === undefined) throw new TypeError(`a sink reported index ${index} of ${cargo.count} records`)
    const stop = (problem: BridgeError): void => {
      const fate = record.poison === undefined ? 'delivered' : 'read'
      const message = `${cargo.origin} at ${record.position} cannot be ${fate}: ${problem.message}`
      options.halt(
        record.poison === undefined ? 'sink' : 'source',
        new BridgeError(message, { kind: 'poison', reason: problem.reason, cause: problem }),
      )
    }
    if (options.deadLetterSink === undefined) {
      stop(error)
      return false
    }
    const letter = deadLetter(record, cargo.origin, { error, attempts })
    const parcel = new Cargo(cargo, [wholeSlice(new Watermark().add(batchOf([letter], recordBytes(letter)), 0))])
    const end = await deliver(
      parcel,
      {
        sink: options.deadLetterSink,
        backoff: options.backoff,
        clock: options.clock,
        random: options.random,
        delivered: () => undefined,
        setAside: (_, [refused]) => {
          const why =
            refused === undefined
              ? error.message
              : `${error.message}; the dead-letter sink refuses it too: ${refused.error.message}`
          stop(new BridgeError(why, { kind: 'poison', reason: error.reason }))
          return Promise.resolve(false)
        },
        failing: options.failing,
        retried: options.retried,
      },
      signal,
    )
    if (end !== 'delivered') return false
    options.lettered(index, error.reason)
  }
  return true
}
