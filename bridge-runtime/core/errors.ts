import type { RuntimeReason } from '../../crds/kit/reasons.ts'
import { withheld } from './withheld.ts'

/** retryable: try again, it may pass. poison: this record can never be delivered. fatal: needs a person; still retried, slowly. */
export type ErrorKind = 'retryable' | 'poison' | 'fatal'

export interface BridgeErrorOptions {
  readonly kind: ErrorKind
  /** Stable word for conditions, metrics and events; each is listed, with its meaning, in `crds/kit/reasons/`. */
  readonly reason: RuntimeReason
  /** Kept without its text: see `withheld`. */
  readonly cause?: unknown
  /** Where on its way a record could not go on. */
  readonly place?: Place
}

/** The step that a record cannot pass, and the field of the record at fault where that is known. */
export interface Place {
  readonly step: string
  readonly path?: string | undefined
}

/**
 * The one error type that crosses the engine. Connectors translate their SDK's errors once, in `errors.ts`.
 * The message says what failed, with which name, and what to do; it never holds a secret.
 */
export class BridgeError extends Error {
  readonly kind: ErrorKind
  readonly reason: RuntimeReason
  readonly place: Place | undefined

  constructor(message: string, options: BridgeErrorOptions) {
    const { cause } = options
    super(message, cause === undefined ? undefined : { cause: cause instanceof BridgeError ? cause : withheld(cause) })
    this.name = 'BridgeError'
    this.kind = options.kind
    this.reason = options.reason
    this.place = options.place
  }
}

/** Reasons that say that the other side was reached, and answered. */
const answers: ReadonlySet<RuntimeReason> = new Set(['Throttled', 'DataGap'])

/** True when it says that records cannot pass now: neither what is wrong with one record does, nor a request to slow down. */
export const disconnects = ({ kind, reason }: BridgeError): boolean => kind !== 'poison' && !answers.has(reason)

/** Anything thrown that no connector translated: retryable, and counted under the reason `Unknown`. */
export function asBridgeError(thrown: unknown): BridgeError {
  if (thrown instanceof BridgeError) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new BridgeError(message, { kind: 'retryable', reason: 'Unknown', cause: thrown })
}

/** Raised by a checkpoint write when another owner has the partition: the reader is dropped, nothing is retried. */
export const fenced = (partition: string): BridgeError =>
  new BridgeError(`partition ${partition} has another owner`, { kind: 'fatal', reason: 'Fenced' })
