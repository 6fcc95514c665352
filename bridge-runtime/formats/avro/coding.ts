import { Unfit } from '../../values/unfit.ts'
import type { Value } from '../../values/value.ts'
import { BridgeError } from '../../core/errors.ts'
import type { Decoder, Encoder, TransformContext } from '../define-format.ts'
import { SchemaRegistry } from '../registry/registry.ts'
import { Cursor } from './cursor.ts'
import { compileReader, type Read } from './decode.ts'
import { compileWriter, type Write } from './encode.ts'
import type { ReadConfig, WriteConfig } from './fields.ts'
import { Misfit } from './misfit.ts'
import { type Node, parseSchema, SchemaError } from './node.ts'
import { Writer } from './writer.ts'

/** Of a registry: what is there may be mended there. */
function nodeFrom(text: string, id: number): Node {
  try {
    return parseSchema(text)
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error
    throw new BridgeError(`schema ${id} of the registry: ${error.message}`, {
      kind: 'fatal',
      reason: 'SchemaUnsupported',
    })
  }
}

function readAll(read: Read, bytes: Buffer, from: number): Value {
  const cursor = new Cursor(bytes, from)
  const value = read(cursor)
  if (!cursor.atEnd) throw new Unfit('NotAvro', 'it goes on behind the value: it was written with another schema')
  return value
}

export function openAvroDecoder({ schema, registry }: ReadConfig, context: TransformContext): Decoder {
  if (schema !== undefined) {
    const read = compileReader(parseSchema(schema.inline))
    return { decode: (bytes) => readAll(read, bytes, 0) }
  }
  if (registry === undefined) throw new TypeError('avro says neither schema nor registry')
  const source = new SchemaRegistry(registry, { ...context, field: `${context.field}.registry` })
  const readers = new Map<number, Read>()
  const learn = async (ids: ReadonlySet<number>, signal: AbortSignal): Promise<void> => {
    for (const id of ids) readers.set(id, compileReader(nodeFrom(await source.schema(id, signal), id)))
  }
  return {
    prepare(inputs, signal) {
      const missing = new Set(inputs.flatMap((bytes) => idOf(bytes) ?? []).filter((id) => !readers.has(id)))
      return missing.size === 0 ? undefined : learn(missing, signal)
    },
    decode(bytes) {
      const id = idOf(bytes)
      if (id === undefined) throw new Unfit('NotFramed', 'it does not begin with 0 and the id of a schema')
      return readAll(readers.get(id) as Read, bytes, frameBytes)
    },
  }
}

/** A zero byte and the id of the schema, four bytes: Confluent's wire format. */
const frameBytes = 5
const idOf = (bytes: Buffer): number | undefined =>
  bytes.length >= frameBytes && bytes[0] === 0 ? bytes.readInt32BE(1) : undefined

interface Target {
  readonly id: number
  readonly write: Write
  /** Monotonic milliseconds until which it is believed. */
  readonly until: number
}

export function openAvroEncoder(config: WriteConfig, context: TransformContext): Encoder {
  const { schema, registry } = config
  const part = context.field.includes('.key.') ? 'key' : 'value'
  const own = schema && compileWriter(parseSchema(schema.inline))
  const writer = new Writer()
  if (registry === undefined) {
    if (own === undefined) throw new TypeError('avro says neither schema nor registry')
    return { encode: (value) => bytesOf(value, { writer, write: own, part }) }
  }
  const source = new SchemaRegistry(registry, { ...context, field: `${context.field}.registry` })
  const targets = new Map<string, Target>()
  const subjectOf = (stream: string): string => config.subject ?? `${stream}-${part}`
  const learn = async (stream: string, signal: AbortSignal): Promise<void> => {
    const subject = subjectOf(stream)
    if (schema !== undefined && own !== undefined) {
      const id = await source.idOf(subject, schema.inline, config.register, signal)
      targets.set(stream, { id, write: own, until: Number.POSITIVE_INFINITY })
      return
    }
    const latest = await source.latest(subject, signal)
    const known = targets.get(stream)
    const write = known?.id === latest.id ? known.write : compileWriter(nodeFrom(latest.schema, latest.id))
    targets.set(stream, { id: latest.id, write, until: context.clock.monotonic() + source.cacheLatest })
  }
  return {
    prepare(streams, signal) {
      const now = context.clock.monotonic()
      const stale = streams.filter((stream) => (targets.get(stream)?.until ?? 0) <= now)
      if (stale.length === 0) return undefined
      return Promise.all(stale.map((stream) => learn(stream, signal))).then(() => undefined)
    },
    encode(value, stream) {
      const { id, write } = targets.get(stream) as Target
      return bytesOf(value, { writer, write, part, id })
    },
  }
}

// eslint-disable-next-line max-params
interface Encoding {
  readonly writer: Writer
  readonly write: Write
  /** `value` or `key`, where paths begin. */
  readonly part: string
  /** Of the schema, where values begin with it. */
  readonly id?: number
}

function bytesOf(value: Value, { writer, write, part, id }: Encoding): Buffer {
  writer.reset()
  if (id !== undefined) {
    writer.byte(0)
    writer.int32(id)
  }
  try {
    write.write(writer, value)
  } catch (thrown) {
    throw thrown instanceof Misfit ? thrown.under(part) : thrown
  }
  return writer.result()
}
