/** Writes and reads one Avro value. */
import assert from 'node:assert/strict'
import { Cursor } from '../../bridge-runtime/formats/avro/cursor.ts'
import { compileReader } from '../../bridge-runtime/formats/avro/decode.ts'
import { compileWriter } from '../../bridge-runtime/formats/avro/encode.ts'
import { type Node, parseSchema } from '../../bridge-runtime/formats/avro/node.ts'
import { Writer } from '../../bridge-runtime/formats/avro/writer.ts'
import type { Value } from '../../bridge-runtime/values/value.ts'

export type Schema = string | object

export const nodeOf = (schema: Schema): Node => parseSchema(JSON.stringify(schema))

export function read(schema: Schema, bytes: Buffer): Value {
  const cursor = new Cursor(bytes, 0)
  const value = compileReader(nodeOf(schema))(cursor)
  assert.ok(cursor.atEnd, 'all bytes are read')
  return value
}

export function write(schema: Schema, value: Value): Buffer {
  const writer = new Writer()
  compileWriter(nodeOf(schema)).write(writer, value)
  return writer.result()
}
