import { z } from 'zod'
import { type Cell, writeRow } from '../../texts/row.ts'
import { rowReader, readTable, tableFields } from '../../texts/table.ts'
import { textOf, writeJson } from '../../values/json.ts'
import { Unfit } from '../../values/unfit.ts'
import { ExactNumber, isObject, nameOf, ownField, type Value } from '../../values/value.ts'
import { defineFormat } from '../define-format.ts'

export const csv = defineFormat({
  name: 'csv',
  summary: 'Rows of CSV (RFC 4180), one for each record. A cell with nothing in it is null.',
  keeps: false,
  decode: {
    schema: readTable,
    open(config) {
      const read = rowReader(config)
      return { decode: (bytes) => read(textOf(bytes)) }
    },
  },
  encode: {
    schema: z.object(tableFields),
    open: ({ columns, delimiter }) => ({
      encode: (value) => Buffer.from(writeRow(cellsOf(value, columns), delimiter)),
    }),
  },
})

/** A field without a column would be lost: it is refused. One that is not there is a cell with nothing in it. */
function cellsOf(value: Value, columns: readonly string[]): Cell[] {
  if (!isObject(value)) throw new Unfit('NotEncodable', `${nameOf(value)} cannot be written as a row`, 'value')
  const cells = columns.map((name) => cellOf(ownField(value, name), name))
  const known = columns.filter((name) => Object.hasOwn(value, name)).length
  const extra = Object.keys(value).length - known
  if (extra > 0) throw new Unfit('NotEncodable', `fields without a column: ${extra}`, 'value')
  return cells
}

function cellOf(field: Value | undefined, name: string): Cell {
  if (field === undefined || field === null) return null
  if (typeof field === 'string') return field
  if (typeof field === 'object' && !(field instanceof ExactNumber))
    throw new Unfit('NotEncodable', `the field ${name} is ${nameOf(field)}, which no cell holds`, `value.${name}`)
  return writeJson(field)
}
