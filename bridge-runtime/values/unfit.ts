import type { RuntimeReason } from '../../crds/kit/reasons.ts'

/**
 * A record that a format or a step cannot take, thrown where it is found. The message says what is wrong and where, with
 * names of fields and types; it never quotes what a record holds.
 */
export class Unfit extends Error {
  readonly reason: RuntimeReason
  /** The field of the record at fault: `value.items[3]`. */
  readonly path: string | undefined

  constructor(reason: RuntimeReason, message: string, path?: string) {
    super(message)
    this.name = 'Unfit'
    this.reason = reason
    this.path = path
  }
}

/** Of an error that a library threw at a record's content: its own text may quote it, so only what is known of it is told. */
export function asUnfit(thrown: unknown): Unfit {
  if (thrown instanceof Unfit) return thrown
  if (thrown instanceof RangeError)
    return new Unfit('TooDeep', 'it is nested too deeply, or too large, to be worked on')
  return new Unfit('ExpressionFailed', `it cannot be worked on: ${thrown instanceof Error ? thrown.name : 'an error'}`)
}
