import type { ASTNode } from '@marcbachmann/cel-js'
import { z } from 'zod'
import { asUnfit, Unfit } from '../values/unfit.ts'
import { environment } from './environment.ts'
import { checkFind } from './find.ts'
import { ExpressionError, placeOf } from './place.ts'

/** A record as an expression sees it; each variable is read when the expression asks for it. */
export type Scope = Readonly<Record<string, unknown>> | object

export interface Expression {
  readonly text: string
  /** The type CEL finds without a record; `dyn` where that depends on it. */
  readonly type: string
  /** True when it reads this variable. */
  reads(variable: string): boolean
  /** The result as CEL has it. Throws `Unfit`, which names the place in the expression and nothing of the record. */
  evaluate(scope: Scope): unknown
}

/** Throws an ExpressionError that says what is wrong, and in which line and column. */
export function compile(text: string): Expression {
  let parsed: ReturnType<typeof environment.parse>
  try {
    parsed = environment.parse(text)
  } catch (error) {
    throw new ExpressionError(told(text, error))
  }
  const checked = parsed.check()
  if (!checked.valid) throw new ExpressionError(told(text, checked.error))
  refuseCostly(text, parsed.ast, false)
  const names = new Set<string>()
  collectNames(parsed.ast, names)
  return {
    text,
    type: checked.type ?? 'dyn',
    reads: (variable) => names.has(variable),
    evaluate: (scope) => {
      try {
        return parsed(scope)
      } catch (error) {
        throw failed(text, error)
      }
    },
  }
}

interface Located {
  readonly code?: string
  readonly summary?: string
  readonly range?: { readonly start: number; readonly end: number }
}

function told(text: string, error: unknown): string {
  const { summary, range } = error as Located
  const what = summary ?? (error instanceof Error ? error.message : String(error))
  return range === undefined ? what : `${what} (${placeOf(text, range.start)})`
}

/** What CEL says of a record, by its code: its own text may quote a field that the record names. */
const reasons: Readonly<Record<string, string>> = {
  no_such_key: 'there is no such field; write has(…) before it, or .?field.orValue(…)',
  unknown_variable: 'it has no value here',
  index_out_of_bounds: 'the list has no such element',
  index_out_of_range: 'the list has no such element',
  invalid_index_type: 'a list is indexed by whole numbers',
  cannot_index_type: 'it has no elements',
  no_such_overload: 'the operator does not take these types',
  no_matching_overload: 'the function does not take these types',
  invalid_logical_operand: 'a condition that is neither true nor false',
  invalid_comparison_type: 'these types cannot be compared',
  division_by_zero: 'a division by zero',
  modulo_by_zero: 'a division by zero',
  numeric_overflow: 'the result is beyond 64 bits',
  int_conversion_error: 'it is no whole number',
  uint_conversion_error: 'it is no whole number from 0',
  invalid_timestamp: 'it is no time',
  invalid_duration: 'it is no duration',
  optional_value_missing: 'the optional is empty',
}

function failed(text: string, error: unknown): Unfit {
  if (error instanceof Unfit) return error
  const { code, range } = error as Located
  if (range === undefined) return asUnfit(error)
  const part = text.slice(Math.max(0, range.start - 40), range.end).trim()
  const why = (code === undefined ? undefined : reasons[code]) ?? code?.replaceAll('_', ' ') ?? 'it cannot be computed'
  return new Unfit('ExpressionFailed', `"${part}" (${placeOf(text, range.start)}): ${why}`)
}

const comprehensions: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter'])
/**
 * Refuses what could take a record's length to a power: a list of 10,000 within another of 10,000 holds up every partition for seconds.
 * And regular expressions that may never end.
 * @param looping in the body of a loop over a list whose length nobody knows
 */
function refuseCostly(text: string, node: ASTNode, looping: boolean): void {
  if ((node.op === 'rcall' || node.op === 'call') && node.args[0] === 'matches')
    throw new ExpressionError(
      `"matches" is not there (${placeOf(text, node.start)}): write value.text.find('expression') != null`,
    )
  checkFind(text, node)
  if (node.op !== 'rcall' || !comprehensions.has(node.args[0])) {
    for (const child of childrenOf(node)) refuseCostly(text, child, looping)
    return
  }
  const [name, list, body] = node.args
  refuseCostly(text, list, looping)
  // As many turns as are written out.
  const bounded = list.op === 'list'
  if (looping && !bounded)
    throw new ExpressionError(
      `"${name}" stands in another loop over a list (${placeOf(text, node.start)}): explode the record first`,
    )
  for (const child of body) refuseCostly(text, child, looping || !bounded)
}

function collectNames(node: ASTNode, names: Set<string>): void {
  if (node.op === 'id') names.add(node.args)
  for (const child of childrenOf(node)) collectNames(child, names)
}

const isNode = (part: unknown): part is ASTNode => typeof part === 'object' && part !== null && 'op' in part

function childrenOf({ args }: ASTNode): ASTNode[] {
  return (Array.isArray(args) ? args.flat(3) : [args]).filter(isNode)
}

/** The types each kind of result may have, as CEL names them. */
const accepted = {
  any: undefined,
  condition: ['bool', 'dyn'],
  key: ['string', 'bytes', 'null', 'dyn'],
} as const

/** A field that holds an expression: what is wrong with it is found before a pod starts, with its place. */
export const expression = (kind: keyof typeof accepted = 'any') =>
  z
    .string()
    .min(1)
    .max(1024)
    .superRefine((text, context) => {
      try {
        const { type } = compile(text)
        const types: readonly string[] | undefined = accepted[kind]
        if (types !== undefined && !types.includes(type))
          context.addIssue(`the expression gives ${type}, not ${types.filter((name) => name !== 'dyn').join(' or ')}`)
      } catch (error) {
        if (!(error instanceof ExpressionError)) throw error
        context.addIssue(error.message)
      }
    })
