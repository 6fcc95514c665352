import { z } from 'zod'
import { parseJson, textOf, writeJson } from '../../values/json.ts'
import { Unfit } from '../../values/unfit.ts'
import { defineFormat } from '../define-format.ts'

export const json = defineFormat({
  name: 'json',
  summary: 'JSON, in UTF-8; no number changes.',
  keeps: true,
  decode: {
    schema: z.object({}),
    open: () => ({ decode: (bytes) => parseJson(textOf(bytes)) }),
  },
  encode: {
    schema: z.object({}),
    open: () => ({
      encode(value) {
        if (value instanceof Uint8Array) throw new Unfit('NotEncodable', 'bytes cannot be written as JSON', 'value')
        return Buffer.from(writeJson(value))
      },
    }),
  },
})
