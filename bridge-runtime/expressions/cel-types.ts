/** Classes of CEL's values that its package does not export: taken from values. */
import { evaluate, Optional } from '@marcbachmann/cel-js'

interface Printed {
  toString(): string
}

type Class = abstract new (...parameters: never[]) => Printed

const classOf = (expression: string): Class => (evaluate(expression) as object).constructor as Class

/** `1u`: `valueOf()` is its bigint. */
export const UnsignedInt = classOf('1u')
/** `duration('90s')`: `toString()` is `90s`. */
export const Duration = classOf("duration('1s')")
/** `type(1)`. */
export const Type = classOf('type(1)')
export { Optional }
