import { compile, expression } from '../../expressions/expression.ts'
import { Unfit } from '../../values/unfit.ts'
import { defineStep } from '../define-step.ts'

export const filter = defineStep({
  name: 'filter',
  summary: 'Keeps the records for which an expression is true.',
  schema: expression('condition').meta({ description: 'Which records are kept. It must give true or false.' }),
  open(text) {
    const condition = compile(text)
    return {
      apply(draft) {
        const keep = condition.evaluate(draft.scope)
        if (typeof keep !== 'boolean')
          throw new Unfit('ExpressionFailed', `the expression gives ${typeOf(keep)}, not true or false`)
        return keep ? draft : undefined
      },
    }
  },
})

const typeOf = (result: unknown): string => (result === null ? 'null' : `a ${typeof result}`)
