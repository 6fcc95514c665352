import { z } from 'zod'
import { Unfit } from '../../values/unfit.ts'
import { nameOf, type Value } from '../../values/value.ts'
import { defineFormat } from '../define-format.ts'

export const bytes = defineFormat({
  name: 'bytes',
  summary: 'Bytes that nobody looks into.',
  keeps: true,
  decode: {
    schema: z.object({}),
    open: () => ({ decode: (input) => input }),
  },
  encode: {
    schema: z.object({}),
    open: () => ({ encode: asBytes }),
  },
})

function asBytes(value: Value): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (typeof value === 'string') return Buffer.from(value)
  throw new Unfit('NotEncodable', `${nameOf(value)} cannot be written as bytes`, 'value')
}
