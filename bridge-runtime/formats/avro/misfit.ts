import type { RuntimeReason } from '../../../crds/kit/reasons.ts'
import { Unfit } from '../../values/unfit.ts'

/** A value that a schema does not hold, on its way up: each level says where it was. */
export class Misfit extends Error {
  readonly reason: RuntimeReason
  /** `.items[3].price`, the innermost first. */
  readonly steps: string[] = []

  constructor(reason: RuntimeReason, what: string) {
    super(what)
    this.reason = reason
  }

  /** @param root `value` or `key` */
  under(root: string): Unfit {
    const path = `${root}${this.steps.toReversed().join('')}`
    return new Unfit(this.reason, `${path} ${this.message}`, path)
  }
}

/** Adds where it was to what a nested write throws. */
export function placed(thrown: unknown, step: string): unknown {
  if (thrown instanceof Misfit) thrown.steps.push(step)
  return thrown
}
