/** Avro's binary encoding to values: a closure for each type of the schema. */
import { Unfit } from '../../values/unfit.ts'
import { setOwn, type Value, type ValueObject } from '../../values/value.ts'
import type { Cursor } from './cursor.ts'
import { dateText, decimalText, floatNumber, timestampText, timeText } from './logical.ts'
import type { BytesNode, Node, RecordNode } from './node.ts'

export type Read = (cursor: Cursor) => Value

/** A reader of values of this schema. It throws `Unfit` for bytes that are none. */
export const compileReader = (node: Node): Read => compile(node, new Map())

function compile(node: Node, known: Map<Node, Read>): Read {
  if (node.kind === 'record') return record(node, known)
  if (node.kind === 'array') return array(compile(node.items, known))
  if (node.kind === 'map') return map(compile(node.values, known))
  if (node.kind === 'union') return union(node.branches.map((branch) => compile(branch, known)))
  return leaf(node)
}

type Leaf = Exclude<Node, { readonly kind: 'record' | 'array' | 'map' | 'union' }>

function leaf(node: Leaf): Read {
  switch (node.kind) {
    case 'enum':
      return symbol(node.symbols)
    case 'fixed':
      return bytesOf(node, (cursor) => cursor.take(node.size))
    case 'bytes':
      return bytesOf(node, (cursor) => cursor.take(cursor.length()))
    case 'int':
    case 'long':
      return integer(node.kind, node.logical)
    case 'null':
    case 'boolean':
    case 'string':
    case 'float':
    case 'double':
      return primitives[node.kind]
  }
}

const primitives: Readonly<Record<'null' | 'boolean' | 'string' | 'float' | 'double', Read>> = {
  null: () => null,
  boolean,
  string: (cursor) => cursor.text(),
  float: (cursor) => finite(floatNumber(cursor.take(4).readFloatLE(0))),
  double: (cursor) => finite(cursor.take(8).readDoubleLE(0)),
}

function boolean(cursor: Cursor): boolean {
  const byte = cursor.byte()
  if (byte > 1) throw new Unfit('NotAvro', 'a boolean that is neither true nor false')
  return byte === 1
}

/** JSON has no such numbers: they are texts, and read back as what they were. */
const finite = (value: number): Value => (Number.isFinite(value) ? value : String(value))

function integer(kind: 'int' | 'long', logical: string | undefined): Read {
  const read: (cursor: Cursor) => number | bigint =
    kind === 'int' ? (cursor) => cursor.int() : (cursor) => cursor.long()
  if (logical === undefined) return read
  if (logical === 'date') return (cursor) => inRange(dateText(Number(read(cursor))), logical)
  const text = logical.startsWith('time-') ? timeText : timestampText
  return (cursor) => inRange(text(read(cursor), logical), logical)
}

function inRange(text: string | undefined, logical: string): string {
  if (text === undefined) throw new Unfit('NotAvro', `a ${logical} beyond what a text can say`)
  return text
}

function bytesOf({ logical, scale = 0 }: BytesNode, take: (cursor: Cursor) => Buffer): Read {
  if (logical === 'decimal') return (cursor) => decimalText(take(cursor), scale)
  if (logical === 'duration') return (cursor) => durationText(take(cursor))
  return (cursor) => take(cursor).toString('base64')
}

const durationText = (bytes: Buffer): string => {
  const [months, days, milliseconds] = [bytes.readUInt32LE(0), bytes.readUInt32LE(4), bytes.readUInt32LE(8)]
  return `P${months}M${days}DT${Math.floor(milliseconds / 1000)}.${String(milliseconds % 1000).padStart(3, '0')}S`
}

function symbol(symbols: readonly string[]): Read {
  return (cursor) => {
    const found = symbols[cursor.int()]
    if (found === undefined) throw new Unfit('NotAvro', 'a symbol that the schema does not have')
    return found
  }
}

function union(branches: readonly Read[]): Read {
  return (cursor) => {
    const branch = branches[cursor.int()]
    if (branch === undefined) throw new Unfit('NotAvro', 'a branch of a union that the schema does not have')
    return branch(cursor)
  }
}

/** Known before its fields are compiled: one of them may be of the same type. */
function record(node: RecordNode, known: Map<Node, Read>): Read {
  const before = known.get(node)
  if (before !== undefined) return before
  const names = node.fields.map(({ name }) => name)
  const put = names.includes('__proto__') ? setOwn : setPlain
  const reads: Read[] = []
  const read: Read = (cursor) => {
    cursor.enter()
    const object: ValueObject = {}
    for (let at = 0; at < reads.length; at += 1) put(object, names[at] as string, (reads[at] as Read)(cursor))
    cursor.leave()
    return object
  }
  known.set(node, read)
  reads.push(...node.fields.map(({ type }) => compile(type, known)))
  return read
}

function setPlain(object: ValueObject, name: string, value: Value): void {
  object[name] = value
}

/** How many elements the next block has, 0 behind the last one; a negative count is followed by the block's bytes. */
function nextBlock(cursor: Cursor): number {
  const count = cursor.long()
  if (count === 0) return 0
  if (typeof count === 'bigint') throw new Unfit('ValueTooLarge', 'it claims more elements than its bytes can hold')
  if (count < 0) cursor.length()
  const elements = Math.abs(count)
  cursor.expect(elements)
  return elements
}

function array(item: Read): Read {
  return (cursor) => {
    cursor.enter()
    const list: Value[] = []
    for (let left = nextBlock(cursor); left > 0; left = nextBlock(cursor))
      for (; left > 0; left -= 1) list.push(item(cursor))
    cursor.leave()
    return list
  }
}

function map(value: Read): Read {
  return (cursor) => {
    cursor.enter()
    const object: ValueObject = {}
    for (let left = nextBlock(cursor); left > 0; left = nextBlock(cursor))
      for (; left > 0; left -= 1) {
        const name = cursor.text()
        setOwn(object, name, value(cursor))
      }
    cursor.leave()
    return object
  }
}
