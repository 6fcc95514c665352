import { compile, expression, type Expression } from '../../expressions/expression.ts'
import { asValue } from '../../expressions/result.ts'
import type { Draft } from '../../draft/draft.ts'
import { parsePath, type Path, setAt } from '../../values/path.ts'
import { Unfit } from '../../values/unfit.ts'
import { nameOf, type Value } from '../../values/value.ts'
import { fieldsOf } from '../field-path.ts'
import { defineStep } from '../define-step.ts'

export const set = defineStep({
  name: 'set',
  summary: 'Sets fields to what expressions give.',
  schema: fieldsOf(
    expression(),
    'Expressions by path: `value.total: value.price * value.count`. All of them read the record as it was before the step; objects on the way are made. An empty optional sets nothing.',
  ),
  open(config) {
    const fields = Object.entries(config).map(([path, text]) => ({ path: parsePath(path), expression: compile(text) }))
    return {
      apply(draft) {
        const results = fields.map((field) => [field.path, resultOf(field.expression, draft)] as const)
        for (const [path, result] of results) if (result !== undefined) put(draft, path, result)
        return draft
      },
    }
  },
})

const resultOf = (expression: Expression, draft: Draft): unknown => expression.evaluate(draft.scope)

function put(draft: Draft, path: Path, result: unknown): void {
  if (path.root === 'timestamp' && result instanceof Date) {
    draft.timestamp = result.getTime()
    return
  }
  const value = asValue(result)
  if (value === undefined) return
  switch (path.root) {
    case 'value':
      draft.value = path.names.length === 0 ? value : setAt(draft.value, path, value)
      return
    case 'headers':
      putHeader(draft, path.names[0] as string, value)
      return
    case 'timestamp':
      draft.timestamp = timeOf(value)
  }
}

/** Replaces every header of the name: null is a header without a value. */
function putHeader(draft: Draft, name: string, value: Value): void {
  draft.headers = [...draft.headers.filter((header) => header.name !== name), { name, value: headerValue(value, name) }]
}

function headerValue(value: Value, name: string): Buffer | null {
  if (value === null) return null
  if (value instanceof Uint8Array) return Buffer.from(value)
  if (typeof value === 'object')
    throw new Unfit('ExpressionFailed', `a header holds text, not ${nameOf(value)}`, `headers.${name}`)
  return Buffer.from(String(value))
}

/** RFC 3339 with a zone: a number does not say its unit. */
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[-+]\d\d:\d\d)$/

function timeOf(value: Value): number {
  const time = typeof value === 'string' && instant.test(value) ? Date.parse(value) : Number.NaN
  if (Number.isNaN(time))
    throw new Unfit(
      'ExpressionFailed',
      `${nameOf(value)} is no time: give a timestamp, or text like 2026-01-31T08:00:00Z`,
      'timestamp',
    )
  return time
}
