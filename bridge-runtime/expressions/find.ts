/** `text.find('re')` and `text.find('re', group)`: the only way to regular expressions, through the gate of `regex/`. */
import type { ASTNode } from '@marcbachmann/cel-js'
import { compilePattern, type Pattern, PatternError } from '../regex/pattern.ts'
import { ExpressionError, placeOf } from './place.ts'

/** The first match, or one group of it; null where there is none. The pattern was checked with the expression. */
export const find = (text: string, pattern: string, group = 0n): string | null =>
  compilePattern(pattern).exec(text)?.[Number(group)] ?? null

/** Throws an ExpressionError where a call of `find` does not name its pattern, or names none of RE2, or a group it has not. */
export function checkFind(text: string, node: ASTNode): void {
  if (node.op !== 'rcall' || node.args[0] !== 'find') return
  const [written, group] = node.args[2]
  if (written?.op !== 'value' || typeof written.args !== 'string')
    throw new ExpressionError(`"find" takes an expression that is written out (${placeOf(text, node.start)})`)
  const pattern = patternAt(text, written, written.args)
  if (group === undefined) return
  if (group.op !== 'value' || typeof group.args !== 'bigint' || group.args < 0n || group.args > pattern.groups)
    throw new ExpressionError(
      `"find" takes a group from 0 to ${pattern.groups}, written out (${placeOf(text, group.start)})`,
    )
}

function patternAt(text: string, node: ASTNode, written: string): Pattern {
  try {
    return compilePattern(written)
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    throw new ExpressionError(`${error.message} (${placeOf(text, node.start)})`)
  }
}
