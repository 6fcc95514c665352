import { z } from 'zod'
import { compile, expression } from '../../expressions/expression.ts'
import { asValue } from '../../expressions/result.ts'
import { writeJson } from '../../values/json.ts'
import { parsePath, setAt } from '../../values/path.ts'
import { Unfit } from '../../values/unfit.ts'
import { nameOf, type Value } from '../../values/value.ts'
import type { Step } from '../define-step.ts'
import { valueField } from '../field-path.ts'

export const tableFields = z
  .object({
    inline: z.record(z.string(), z.string().max(1024)).meta({ description: 'Texts by key.', maxProperties: 1_000 }),
    key: expression().meta({
      description: 'What is looked up: text, a number or a boolean. Null and an empty optional set nothing.',
    }),
    into: valueField.meta({ description: 'Where the text goes: `value.country.name`.' }),
  })
  .meta({ description: 'Looks a key up in a small table. One that is not in it sets nothing.' })

export function table({ inline, key, into }: z.output<typeof tableFields>): Step {
  const texts = new Map(Object.entries(inline))
  const asked = compile(key)
  const target = parsePath(into)
  return {
    apply(draft) {
      const wanted = keyOf(asValue(asked.evaluate(draft.scope)))
      const text = wanted === undefined ? undefined : texts.get(wanted)
      if (text !== undefined) draft.value = setAt(draft.value, target, text)
      return draft
    },
  }
}

function keyOf(value: Value | undefined): string | undefined {
  if (value === undefined || value === null || typeof value === 'string') return value ?? undefined
  if (typeof value === 'object') throw new Unfit('ExpressionFailed', `a key of a table is text, not ${nameOf(value)}`)
  return writeJson(value)
}
