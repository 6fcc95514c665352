import { ownField, isObject } from '../../values/value.ts'
import { getAt, parsePath, removeAt, setAt } from '../../values/path.ts'
import { Unfit } from '../../values/unfit.ts'
import type { Draft } from '../../draft/draft.ts'
import { defineStep } from '../define-step.ts'
import { newNames } from '../field-path.ts'

export const rename = defineStep({
  name: 'rename',
  summary: 'Moves fields and headers to other names.',
  schema: newNames(
    'New paths by old ones: `value.path: value.url`. A field that is not there is left out; one that would be overwritten is an error.',
  ),
  open(config) {
    const moves = Object.entries(config).map(([from, to]) => ({ from: parsePath(from), to: parsePath(to) }))
    return {
      apply(draft) {
        for (const move of moves) {
          if (move.from.root === 'headers')
            renameHeader(draft, move.from.names[0] as string, move.to.names[0] as string)
          else renameField(draft, move)
        }
        return draft
      },
    }
  },
})

interface Move {
  readonly from: ReturnType<typeof parsePath>
  readonly to: ReturnType<typeof parsePath>
}

function renameField(draft: Draft, { from, to }: Move): void {
  const { value } = draft
  const field = getAt(value, from.names)
  if (field === undefined) return
  const parent = getAt(value, to.names.slice(0, -1))
  if (isObject(parent) && ownField(parent, to.names.at(-1) as string) !== undefined)
    throw new Unfit('FieldExists', `${to.text} is there already`, to.text)
  removeAt(value, from.names)
  draft.value = setAt(value, to, field)
}

function renameHeader(draft: Draft, from: string, to: string): void {
  if (!draft.headers.some(({ name }) => name === from)) return
  if (draft.headers.some(({ name }) => name === to))
    throw new Unfit('FieldExists', `the header ${to} is there already`, `headers.${to}`)
  draft.headers = draft.headers.map((header) => (header.name === from ? { name: to, value: header.value } : header))
}
