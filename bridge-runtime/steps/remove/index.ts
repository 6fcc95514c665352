import { z } from 'zod'
import { parsePath, removeAt } from '../../values/path.ts'
import { defineStep } from '../define-step.ts'
import { namedField } from '../field-path.ts'

export const remove = defineStep({
  name: 'remove',
  summary: 'Removes fields and headers.',
  schema: z.array(namedField).min(1).max(64).meta({ description: 'Paths. What is not there is left out.' }),
  open(config) {
    const paths = config.map(parsePath)
    return {
      apply(draft) {
        for (const { root, names } of paths) {
          if (root === 'headers') {
            const kept = draft.headers.filter(({ name }) => name !== names[0])
            if (kept.length !== draft.headers.length) draft.headers = kept
            continue
          }
          const { value } = draft
          if (removeAt(value, names)) draft.value = value
        }
        return draft
      },
    }
  },
})
