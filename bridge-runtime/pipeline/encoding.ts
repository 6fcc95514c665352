/** How what steps made of a record becomes bytes again. */
import type { BridgeRecord } from '../core/contracts.ts'
import { chosenFormat, openDecoder, openEncoder } from '../formats/catalog.ts'
import type { Decoder, Encoder, TransformContext } from '../formats/define-format.ts'
import { writeJson } from '../values/json.ts'
import { Unfit } from '../values/unfit.ts'
import type { Value } from '../values/value.ts'
import type { Draft } from '../draft/draft.ts'

type Choice = Readonly<Record<string, unknown>>

export interface Formats {
  readonly value?: Choice | undefined
  readonly key?: Choice | undefined
}

/** Both ends of one part of a record, its value or its key. */
export interface Coding {
  readonly decoder: Decoder
  readonly encoder: Encoder
  /** Bytes stay as they are where no step changed what they say. */
  readonly keeps: boolean
}

/** What a text becomes is text, what was never decoded stays bytes; all else is JSON. */
const plain: Encoder = {
  encode(value) {
    if (value instanceof Uint8Array) return asBuffer(value)
    return Buffer.from(typeof value === 'string' ? value : writeJson(value))
  },
}

const asJson: Encoder = {
  encode: (value) => (value instanceof Uint8Array ? asBuffer(value) : Buffer.from(writeJson(value))),
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** The formats of a part for which a person names none. */
const unsaid: Readonly<Record<keyof Formats, Choice>> = { value: { json: {} }, key: { text: {} } }

export function codingOf(part: keyof Formats, decode: Formats, encode: Formats, context: TransformContext): Coding {
  const said = decode[part]
  const read = said ?? unsaid[part]
  const write = encode[part]
  const { format } = chosenFormat(read)
  const opened = openDecoder(read, { ...context, field: `spec.decode.${part}` })
  const decoder = said === undefined ? withHint(opened, part) : opened
  if (write === undefined)
    return { decoder, encoder: format.name === 'text' || format.name === 'bytes' ? plain : asJson, keeps: format.keeps }
  return {
    decoder,
    encoder: openEncoder(write, { ...context, field: `spec.encode.${part}` }),
    keeps: format.keeps && JSON.stringify(write) === JSON.stringify(read),
  }
}

/** A person who said nothing may not know that something was assumed. */
const withHint = (decoder: Decoder, part: keyof Formats): Decoder => ({
  decode(bytes) {
    try {
      return decoder.decode(bytes)
    } catch (thrown) {
      if (!(thrown instanceof Unfit)) throw thrown
      throw new Unfit(
        thrown.reason,
        `${thrown.message}; spec.decode.${part} says what it is, such as text: {} or bytes: {}`,
      )
    }
  },
})

export interface Codings {
  readonly value: Coding
  readonly key: Coding
}

/** The record a draft has become: the source's own where nothing is different. Throws `Unfit`. */
export function recordOf(draft: Draft, codings: Codings, stream: string): BridgeRecord {
  const { source, parts } = draft
  const value =
    draft.hasChangedValue || !keepsBytes(codings.value, source.value)
      ? bytesOf(draft.value, codings.value, stream)
      : source.value
  const key =
    draft.hasChangedKey || !keepsBytes(codings.key, source.key) ? bytesOf(draft.key, codings.key, stream) : source.key
  const { headers, timestamp } = draft
  if (
    value === source.value &&
    key === source.key &&
    headers === source.headers &&
    timestamp === source.timestamp &&
    parts.length === 0
  )
    return source
  const position = parts.length === 0 ? source.position : [source.position, ...parts].join('/')
  return { key, value, headers, timestamp, position }
}

const keepsBytes = ({ keeps }: Coding, source: Buffer | null): boolean => keeps || source === null

const bytesOf = (value: Value, { encoder }: Coding, stream: string): Buffer | null =>
  value === null ? null : encoder.encode(value, stream)
