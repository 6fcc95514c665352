import { BridgeError } from '../errors.ts'

export const encodingFault = 'EncodingFault'

/**
 * Only what the language itself throws. A service or a network that fails has errors of its own, and may work again; so may a process
 * that is short of memory, though the language says that as well.
 */
const isFault = (thrown: unknown): thrown is Error =>
  (thrown instanceof TypeError || thrown instanceof RangeError) && !/allocation failed/i.test(thrown.message)

/** What every record of a rejected request fails with; undefined where it is no fault of the connector's. */
export const faultOf = (thrown: unknown): BridgeError | undefined =>
  isFault(thrown)
    ? new BridgeError(
        `the connector throws (${thrown.name}: ${thrown.message}): a fault of StreamBridge, please report it with the log`,
        { kind: 'retryable', reason: encodingFault, cause: thrown },
      )
    : undefined
