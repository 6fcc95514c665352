import { setOwn, type Value, type ValueObject } from '../../values/value.ts'
import { dateText, decimalText, timestampText, timeText } from './logical.ts'
import type { BytesNode, Node } from './node.ts'

/**
 * A default of a schema as a value. It stands there in another JSON: bytes are text of one character each, logical types are what is
 * below them, and of a union it is of the first branch.
 */
export function defaultOf(node: Node, value: unknown): Value {
  if (node.kind === 'union') return defaultOf(node.branches[0] as Node, value)
  if (node.kind === 'bytes' || node.kind === 'fixed') return bytesText(node, Buffer.from(String(value), 'latin1'))
  if (node.kind === 'int' || node.kind === 'long')
    return node.logical === undefined ? (value as number) : timeOf(node.logical, Number(value))
  if (node.kind === 'array') return (value as unknown[]).map((element) => defaultOf(node.items, element))
  if (node.kind === 'map') return fieldsOf(value as object, () => node.values)
  if (node.kind === 'record')
    return fieldsOf(value as object, (name) => node.fields.find((field) => field.name === name)?.type)
  return value as Value
}

const bytesText = ({ logical, scale = 0 }: BytesNode, bytes: Buffer): Value =>
  logical === 'decimal' ? decimalText(bytes, scale) : bytes.toString('base64')

function timeOf(logical: string, value: number): Value {
  if (logical === 'date') return dateText(value) ?? null
  return (logical.startsWith('time-') ? timeText(value, logical) : timestampText(value, logical)) ?? null
}

function fieldsOf(object: object, typeOf: (name: string) => Node | undefined): ValueObject {
  const made: ValueObject = {}
  for (const [name, field] of Object.entries(object)) {
    const type = typeOf(name)
    if (type !== undefined) setOwn(made, name, defaultOf(type, field))
  }
  return made
}
