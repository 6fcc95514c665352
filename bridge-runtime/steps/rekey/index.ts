import { compile, expression } from '../../expressions/expression.ts'
import { asValue } from '../../expressions/result.ts'
import { Unfit } from '../../values/unfit.ts'
import { nameOf } from '../../values/value.ts'
import { defineStep } from '../define-step.ts'

export const rekey = defineStep({
  name: 'rekey',
  summary: 'Gives records another key.',
  changesKeys: true,
  schema: expression('key').meta({
    description:
      'The new key: text, bytes or null. From here on the order of each new key is kept; records of one old key that get different new ones may overtake each other.',
  }),
  open(text) {
    const key = compile(text)
    return {
      apply(draft) {
        const made = asValue(key.evaluate(draft.scope))
        if (made !== null && typeof made !== 'string' && !(made instanceof Uint8Array))
          throw new Unfit('ExpressionFailed', `a key is text, bytes or null, not ${nameOf(made)}`, 'key')
        draft.key = made
        return draft
      },
    }
  },
})
