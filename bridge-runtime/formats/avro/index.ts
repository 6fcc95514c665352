import { defineFormat } from '../define-format.ts'
import { openAvroDecoder, openAvroEncoder } from './coding.ts'
import { readFields, writeFields } from './fields.ts'

export const avro = defineFormat({
  name: 'avro',
  summary: 'Avro, with a schema of the manifest or of a schema registry. No number changes.',
  keeps: false,
  decode: {
    schema: readFields,
    open: openAvroDecoder,
  },
  encode: {
    schema: writeFields,
    open: openAvroEncoder,
  },
})
