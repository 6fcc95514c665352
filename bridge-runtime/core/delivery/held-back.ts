import { BridgeError } from '../errors.ts'

/** What is reported for a record that was not sent because an earlier one of its key failed: no error of its own. */
export const heldBack = new BridgeError('an earlier record of the same key failed', {
  kind: 'retryable',
  reason: 'HeldBack',
})
