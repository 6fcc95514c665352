/**
 * A connector that throws where it makes a request of records: it has met a value that it was not made for, and with that one gives
 * up all the others, for ever. So the request is halved until the record stands alone.
 */
import type { Cargo } from './cargo.ts'
import { BridgeError } from './errors.ts'
import type { Part } from './unreadable.ts'

/** Thrown for a record alone so often in a row, it is taken for the record's: what passes has had time to. */
export const faultsUntilPoison = 3

/**
 * Only what the language itself throws. A service or a network that fails has errors of its own, and may work again; so may a process
 * that is short of memory, though the language says that as well.
 */
const isFault = (thrown: unknown): thrown is Error =>
  (thrown instanceof TypeError || thrown instanceof RangeError) && !/allocation failed/i.test(thrown.message)

/** What every record of the request fails with; undefined for what is no fault. */
export function faultOf(thrown: unknown): BridgeError | undefined {
  if (!isFault(thrown)) return undefined
  const message = `the connector cannot write it (${thrown.name}: ${thrown.message}): a fault of StreamBridge, please report it with the log`
  return new BridgeError(message, { kind: 'retryable', reason: 'EncodingFault', cause: thrown })
}

export const isEncodingFault = (error: BridgeError | undefined): error is BridgeError =>
  error?.reason === 'EncodingFault'

/** The same, of one record that can never be delivered. */
export const poisonOf = (fault: BridgeError): BridgeError =>
  new BridgeError(fault.message, { kind: 'poison', reason: fault.reason, cause: fault })

/** A cargo of several records in two. */
export function halvesOf(cargo: Cargo): readonly Part[] {
  const middle = cargo.count >> 1
  const indexes = Array.from({ length: cargo.count }, (_, index) => index)
  return [indexes.slice(0, middle), indexes.slice(middle)].map((half) => ({ cargo: cargo.only(half) }))
}
