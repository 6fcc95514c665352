import { parsePath, getAt } from '../../values/path.ts'
import { Unfit } from '../../values/unfit.ts'
import { nameOf } from '../../values/value.ts'
import { defineStep } from '../define-step.ts'
import { valuePath } from '../field-path.ts'

/** Most records that one becomes. */
const mostParts = 10_000

export const explode = defineStep({
  name: 'explode',
  summary: 'Makes a record of each element of a list.',
  schema: valuePath.meta({
    description:
      'The list: `value.items`. Each element becomes the value of a record with the same key, headers and timestamp; an empty list gives none.',
  }),
  open(config) {
    const { text, names } = parsePath(config)
    return {
      apply(draft) {
        const list = getAt(draft.value, names)
        if (!Array.isArray(list)) throw new Unfit('NotAnArray', `${text} is ${nameOf(list)}, not a list`, text)
        if (list.length > mostParts)
          throw new Unfit(
            'TooManyParts',
            `${text} has ${list.length} elements; at most ${mostParts} become records`,
            text,
          )
        return list.map((element, index) => draft.part(element, index))
      },
    }
  },
})
