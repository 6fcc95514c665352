/** Values to Avro's binary encoding: a closure for each type of the schema. What does not fit exactly is refused. */
import { ExactNumber, isObject, nameOf, ownField, type Value, type ValueObject } from '../../values/value.ts'
import { dateValue, decimalUnscaled, floatNumber, timestampValue, timeValue, twosComplement } from './logical.ts'
import { Misfit, placed } from './misfit.ts'
import type { BytesNode, Field, Node, RecordNode } from './node.ts'
import { defaultOf } from './default.ts'
import type { Writer } from './writer.ts'

/** Both ask the same: a union looks before it writes. */
export interface Write {
  /** Whether a value is one of the type; of an object and a list only their kind and the names of their fields are looked at. */
  readonly fits: (value: Value) => boolean
  /** Throws a `Misfit`. */
  readonly write: (writer: Writer, value: Value) => void
}

export const compileWriter = (node: Node): Write => compile(node, new Map())

function compile(node: Node, known: Map<Node, Write>): Write {
  if (node.kind === 'record') return record(node, known)
  if (node.kind === 'array') return array(compile(node.items, known))
  if (node.kind === 'map') return map(compile(node.values, known))
  if (node.kind === 'union')
    return union(
      node.branches,
      node.branches.map((branch) => compile(branch, known)),
    )
  return leaf(node)
}

type Leaf = Exclude<Node, { readonly kind: 'record' | 'array' | 'map' | 'union' }>

function leaf(node: Leaf): Write {
  switch (node.kind) {
    case 'enum':
      return scalar(
        'a symbol of the enum',
        (value) => indexOf(node.symbols, value),
        (writer, index) => writer.long(index),
      )
    case 'int':
    case 'long':
      return integer(node.kind, node.logical)
    case 'bytes':
    case 'fixed':
      return bytesOf(node)
    case 'null':
    case 'boolean':
    case 'string':
    case 'float':
    case 'double':
      return primitives[node.kind]
  }
}

/** Of a value that is converted first; undefined where it does not fit. */
function scalar<T>(
  what: string,
  convert: (value: Value) => T | undefined,
  put: (writer: Writer, made: T) => void,
): Write {
  return {
    fits: (value) => convert(value) !== undefined,
    write(writer, value) {
      const made = convert(value)
      if (made === undefined) throw new Misfit('NotEncodable', `is ${nameOf(value)}, not ${what}`)
      put(writer, made)
    },
  }
}

const indexOf = (symbols: readonly string[], value: Value): number | undefined => {
  const index = typeof value === 'string' ? symbols.indexOf(value) : -1
  return index < 0 ? undefined : index
}

/** As a value is read that JSON has no number for. */
const beyond: Readonly<Record<string, number>> = { NaN, Infinity, '-Infinity': -Infinity }

function doubleOf(value: Value): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value === 'string') return beyond[value]
  // A bigint that a double holds, such as 2^60.
  return typeof value === 'bigint' && BigInt(Number(value)) === value ? Number(value) : undefined
}

function floatOf(value: Value): number | undefined {
  const double = doubleOf(value)
  if (double === undefined || !Number.isFinite(double)) return double
  const single = Math.fround(double)
  return single === double || floatNumber(single) === double ? single : undefined
}

const primitives: Readonly<Record<'null' | 'boolean' | 'string' | 'float' | 'double', Write>> = {
  null: scalar(
    'null',
    (value) => (value === null ? true : undefined),
    () => undefined,
  ),
  boolean: scalar(
    'a boolean',
    (value) => (typeof value === 'boolean' ? value : undefined),
    (writer, value) => writer.byte(value ? 1 : 0),
  ),
  string: scalar(
    'a text',
    (value) => (typeof value === 'string' && value.isWellFormed() ? value : undefined),
    (writer, value) => writer.text(value),
  ),
  float: scalar('a number that a float holds', floatOf, (writer, value) => writer.float(value)),
  double: scalar('a number that a double holds', doubleOf, (writer, value) => writer.double(value)),
}

const integerOf = (value: Value): bigint | number | undefined => {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined
  return typeof value === 'bigint' && BigInt.asIntN(64, value) === value ? value : undefined
}

function integer(kind: 'int' | 'long', logical: string | undefined): Write {
  const put = (writer: Writer, value: number | bigint): void => writer.long(value)
  const is32 = (value: number | bigint | undefined): number | bigint | undefined =>
    kind === 'long' || (typeof value === 'number' && value === (value | 0)) ? value : undefined
  if (logical === undefined)
    return scalar(
      kind === 'int' ? 'a whole number of 32 bits' : 'a whole number of 64 bits',
      (value) => is32(integerOf(value)),
      put,
    )
  const read = logical === 'date' ? dateValue : logical.startsWith('time-') ? timeValue : timestampValue
  const convert = (value: Value): number | bigint | undefined => {
    const made = typeof value === 'string' ? read(value, logical) : undefined
    return made === undefined || BigInt.asIntN(64, BigInt(made)) !== BigInt(made) ? undefined : made
  }
  return scalar(`a text of a ${logical} with no more digits than it has`, convert, put)
}

function bytesOf(node: BytesNode): Write {
  const size = node.kind === 'fixed' ? node.size : undefined
  const put = (writer: Writer, value: Buffer): void => {
    if (size === undefined) writer.long(value.length)
    writer.bytes(value)
  }
  const { logical, precision = 0, scale = 0 } = node
  if (logical === 'decimal')
    return scalar(
      `a decimal of ${precision} digits, ${scale} of them behind the point`,
      (value) => decimalOf(value, { precision, scale, size }),
      put,
    )
  if (logical === 'duration') return scalar('a text of a duration', durationOf, put)
  return scalar(size === undefined ? 'base64' : `base64 of ${size} bytes`, (value) => base64Of(value, size), put)
}

interface Decimal {
  readonly precision: number
  readonly scale: number
  readonly size: number | undefined
}

function decimalOf(value: Value, { precision, scale, size }: Decimal): Buffer | undefined {
  const text = value instanceof ExactNumber ? value.text : typeof value === 'string' ? value : undefined
  const number = typeof value === 'number' || typeof value === 'bigint' ? String(value) : text
  const unscaled = number === undefined ? undefined : decimalUnscaled(number, precision, scale)
  return unscaled === undefined ? undefined : twosComplement(unscaled, size)
}

function durationOf(value: Value): Buffer | undefined {
  const [, months, days, seconds, milliseconds] =
    typeof value === 'string' ? (/^P(\d+)M(\d+)DT(\d+)\.(\d{3})S$/.exec(value) ?? []) : []
  const parts = [Number(months), Number(days), Number(seconds) * 1000 + Number(milliseconds)]
  if (!parts.every((part) => Number.isInteger(part) && part < 2 ** 32)) return undefined
  const bytes = Buffer.alloc(12)
  for (const [at, part] of parts.entries()) bytes.writeUInt32LE(part, at * 4)
  return bytes
}

function base64Of(value: Value, size: number | undefined): Buffer | undefined {
  if (typeof value !== 'string') return undefined
  const bytes = Buffer.from(value, 'base64')
  return bytes.toString('base64') === value && (size === undefined || bytes.length === size) ? bytes : undefined
}

const numbers: ReadonlySet<string> = new Set(['int', 'long', 'float', 'double'])

/** The branch that fits. Of several numbers the first; of several others nobody knows which was meant. */
function union(nodes: readonly Node[], branches: readonly Write[]): Write {
  return {
    fits: (value) => branches.some((branch) => branch.fits(value)),
    write(writer, value) {
      const first = branches.findIndex((branch) => branch.fits(value))
      const branch = branches[first]
      if (branch === undefined)
        throw new Misfit('NotEncodable', `is ${nameOf(value)}, which no branch of its union holds`)
      const another = branches.some(
        (one, index) => index > first && one.fits(value) && !(isNumber(nodes[first]) && isNumber(nodes[index])),
      )
      if (another) throw new Misfit('AmbiguousUnion', 'fits several branches of its union')
      writer.long(first)
      branch.write(writer, value)
    },
  }
}

const isNumber = (node: Node | undefined): boolean =>
  node !== undefined && numbers.has(node.kind) && (node as { readonly logical?: string }).logical === undefined

interface FieldWrite {
  readonly field: Field
  readonly type: Write
  /** Undefined where the schema has no default. */
  readonly standard: Value | undefined
}

function record(node: RecordNode, known: Map<Node, Write>): Write {
  const before = known.get(node)
  if (before !== undefined) return before
  const fields: FieldWrite[] = []
  const made: Write = {
    fits: (value) =>
      isObject(value) &&
      Object.keys(value).every((name) => fields.some(({ field }) => field.name === name)) &&
      fields.every(({ field, standard }) => standard !== undefined || Object.hasOwn(value, field.name)),
    write(writer, value) {
      if (!isObject(value)) throw new Misfit('NotEncodable', `is ${nameOf(value)}, not an object`)
      let used = 0
      for (const field of fields) used += writeField(writer, value, field) ? 1 : 0
      if (used !== Object.keys(value).length) throw unknownField(value, fields)
    },
  }
  known.set(node, made)
  for (const field of node.fields)
    fields.push({
      field,
      type: compile(field.type, known),
      standard: field.standard === undefined ? undefined : defaultOf(field.type, field.standard),
    })
  return made
}

/** True when the value has it itself. */
function writeField(writer: Writer, value: ValueObject, { field, type, standard }: FieldWrite): boolean {
  const own = ownField(value, field.name)
  const put = own === undefined ? standard : own
  try {
    if (put === undefined) throw new Misfit('MissingField', 'is missing, and the schema has no default for it')
    type.write(writer, put)
  } catch (thrown) {
    throw placed(thrown, `.${field.name}`)
  }
  return own !== undefined
}

const identifier = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/

function unknownField(value: ValueObject, fields: readonly FieldWrite[]): unknown {
  const name = Object.keys(value).find((one) => !fields.some(({ field }) => field.name === one)) ?? ''
  const known = identifier.test(name)
  const misfit = new Misfit(
    'UnknownField',
    known ? 'is not in the schema, and would be lost' : 'has a field that is not in the schema, and would be lost',
  )
  return known ? placed(misfit, `.${name}`) : misfit
}

function array(item: Write): Write {
  return {
    fits: Array.isArray,
    write(writer, value) {
      if (!Array.isArray(value)) throw new Misfit('NotEncodable', `is ${nameOf(value)}, not a list`)
      if (value.length > 0) writer.long(value.length)
      let at = 0
      try {
        for (; at < value.length; at += 1) item.write(writer, value[at] as Value)
      } catch (thrown) {
        throw placed(thrown, `[${at}]`)
      }
      writer.long(0)
    },
  }
}

function map(type: Write): Write {
  return {
    fits: isObject,
    write(writer, value) {
      if (!isObject(value)) throw new Misfit('NotEncodable', `is ${nameOf(value)}, not an object`)
      const entries = Object.entries(value)
      if (entries.length > 0) writer.long(entries.length)
      try {
        for (const [name, field] of entries) {
          writer.text(name)
          type.write(writer, field)
        }
      } catch (thrown) {
        throw placed(thrown, '.*')
      }
      writer.long(0)
    },
  }
}
