/** Texts as numbers and booleans, where a person says so. */
import { z } from 'zod'
import { exactNumber } from '../values/json.ts'
import { Unfit } from '../values/unfit.ts'
import { ownField, setOwn, type Value, type ValueObject } from '../values/value.ts'

const fieldType = z.enum(['Int', 'Double', 'Bool', 'Text'])

type FieldType = z.output<typeof fieldType>

export const fieldTypes = z.record(z.string(), fieldType).meta({
  description:
    'What fields are, by name. Default: Text. Numbers are exact however long they are; a text that is none is an error, an empty one is null.',
  maxProperties: 128,
})

export type FieldTypes = Readonly<Record<string, FieldType>>

/** Changes the fields that are no Text; one that is not there is left out. */
export function typing(types: FieldTypes = {}): (fields: ValueObject) => ValueObject {
  const typed = Object.entries(types).filter(([, type]) => type !== 'Text')
  return (fields) => {
    for (const [name, type] of typed) {
      const text = ownField(fields, name)
      if (typeof text === 'string') setOwn(fields, name, text === '' ? null : asType(text, type, name))
    }
    return fields
  }
}

function asType(text: string, type: FieldType, name: string): Value {
  const value = readers[type](text)
  if (value === undefined) throw new Unfit('ParseMismatch', `the field ${name} is no ${type}`)
  return value
}

const readers: Readonly<Record<FieldType, (text: string) => Value | undefined>> = {
  Int: (text) => (/^[-+]?\d+$/.test(text) ? exactNumber(text.startsWith('+') ? text.slice(1) : text) : undefined),
  Double: double,
  Bool: (text) => ({ true: true, false: false })[text.toLowerCase()],
  Text: (text) => text,
}

/** Written as JSON has it: `.5` is `0.5`, `007.` is `7`. */
function double(text: string): Value | undefined {
  const [, sign = '', whole = '', fraction = '', exponent = ''] =
    /^([-+]?)(\d*)(?:\.(\d*))?([eE][-+]?\d+)?$/.exec(text) ?? []
  if (whole === '' && fraction === '') return undefined
  const digits = `${whole.replace(/^0+(?=\d)/, '') || '0'}${fraction === '' ? '' : `.${fraction}`}`
  return exactNumber(`${sign === '-' ? '-' : ''}${digits}${exponent}`)
}
