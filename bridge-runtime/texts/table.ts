/** Rows with named cells. */
import { z } from 'zod'
import { withRules } from '../../crds/kit/rules.ts'
import { Unfit } from '../values/unfit.ts'
import { setOwn, type ValueObject } from '../values/value.ts'
import { columns, delimiter, scanRow } from './row.ts'
import { fieldTypes, typing } from './types.ts'

/** A rule of the API server would cost more than it may. */
const names = columns.refine((list) => new Set(list).size === list.length, 'each column needs a name of its own')

export const tableFields = { columns: names, delimiter: delimiter.default(',') }

/** What a person says of the rows that are read. */
export const readTable = withRules(z.object({ ...tableFields, types: fieldTypes.optional() }), [
  {
    cel: '!has(self.types) || self.types.all(name, name in self.columns)',
    message: 'types names what is no column',
    holds: ({ columns, types = {} }) => Object.keys(types).every((name) => columns.includes(name)),
  },
])

/** A row as an object. Throws `Unfit` where it has another number of cells. */
export function rowReader({ columns, delimiter, types }: z.output<typeof readTable>): (text: string) => ValueObject {
  const typed = typing(types)
  return (text) => {
    const cells = scanRow(text, delimiter)
    if (cells.length !== columns.length)
      throw new Unfit('ParseMismatch', `the row has ${cells.length} cells, not ${columns.length}`)
    const row: ValueObject = {}
    for (const [index, name] of columns.entries()) setOwn(row, name, cells[index] as string | null)
    return typed(row)
  }
}
