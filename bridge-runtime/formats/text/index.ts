import { z } from 'zod'
import { textOf, writeJson } from '../../values/json.ts'
import { Unfit } from '../../values/unfit.ts'
import { nameOf, type Value } from '../../values/value.ts'
import { defineFormat } from '../define-format.ts'

export const text = defineFormat({
  name: 'text',
  summary: 'Text in UTF-8. Numbers and booleans are written as JSON writes them.',
  keeps: true,
  decode: {
    schema: z.object({}),
    open: () => ({ decode: textOf }),
  },
  encode: {
    schema: z.object({}),
    open: () => ({ encode: (value) => Buffer.from(asText(value)) }),
  },
})

function asText(value: Value): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return writeJson(value)
  throw new Unfit('NotEncodable', `${nameOf(value)} cannot be written as text`, 'value')
}
