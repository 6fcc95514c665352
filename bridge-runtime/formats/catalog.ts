/** Every format, one line each. The API, the runtime and the docs all read this list. */
import type { z } from 'zod'
import { avro } from './avro/index.ts'
import { bytes } from './bytes/index.ts'
import { csv } from './csv/index.ts'
import type { Decoder, Encoder, FormatDefinition, TransformContext } from './define-format.ts'
import { json } from './json/index.ts'
import { text } from './text/index.ts'

export const formats: Readonly<Record<string, FormatDefinition>> = { json, avro, text, bytes, csv }

type Choice = Readonly<Record<string, unknown>>
type Side = 'decode' | 'encode'

const schemasOf = (side: Side): Readonly<Record<string, z.ZodType>> =>
  Object.fromEntries(Object.entries(formats).map(([name, format]) => [name, format[side].schema]))

/** The configuration schemas of all formats, by name. */
export const decoderSchemas = schemasOf('decode')
export const encoderSchemas = schemasOf('encode')

/** The format a person chose. Throws a TypeError for one that is not there: the schema refuses that before. */
export function chosenFormat(choice: Choice): { readonly format: FormatDefinition; readonly config: unknown } {
  const [name, config] = Object.entries(choice).find(([, value]) => value !== undefined) ?? []
  const format = name === undefined ? undefined : formats[name]
  if (format === undefined) throw new TypeError(`no format named ${name}`)
  return { format, config }
}

export function openDecoder(choice: Choice, context: TransformContext): Decoder {
  const { format, config } = chosenFormat(choice)
  return format.decode.open(config, { ...context, field: `${context.field}.${format.name}` })
}

export function openEncoder(choice: Choice, context: TransformContext): Encoder {
  const { format, config } = chosenFormat(choice)
  return format.encode.open(config, { ...context, field: `${context.field}.${format.name}` })
}
