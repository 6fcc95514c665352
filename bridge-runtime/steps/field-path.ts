/** Fields of a record, as a person writes them. */
import { z } from 'zod'
import { type Rule, textOf, withRules } from '../../crds/kit/rules.ts'
import { pathForm } from '../values/path.ts'

const anyField = {
  pattern: pathForm,
  message: 'write value, a field like value.user.id, a header like headers.trace, or timestamp',
  maxLength: 256,
}

/** What has a name, and can be moved or removed. */
const withName = {
  pattern: /^(headers\.([A-Za-z0-9_-]+|"[^"]+")|value(\.([A-Za-z0-9_-]+|"[^"]+")){1,16})$/,
  message: 'write a field of the value like value.user.id, or a header like headers.trace',
  maxLength: 256,
}

/** A field of the value or a header. */
export const namedField = textOf(withName)

/** A field of the value, or all of it. */
export const valuePath = textOf({
  pattern: /^value(\.([A-Za-z0-9_-]+|"[^"]+")){0,16}$/,
  message: 'write value, or a field of it: value.user.id',
  maxLength: 256,
})

/** A field of the value. */
export const valueField = textOf({
  pattern: /^value(\.([A-Za-z0-9_-]+|"[^"]+")){1,16}$/,
  message: 'write a field of the value: value.user.id',
  maxLength: 256,
})

/** Most entries of a map of fields. */
const mostFields = 64

/** A map whose names are fields. A structural schema has no place for the form of a name: a rule holds it. */
function mapOf(form: typeof anyField, value: z.ZodType<string>, more: readonly Rule<Record<string, string>>[] = []) {
  return withRules(z.record(z.string(), value), [
    {
      cel: `self.all(name, name.matches(r'${form.pattern.source.replaceAll('\\/', '/')}'))`,
      message: form.message,
      holds: (map) => Object.keys(map).every((name) => name.length <= form.maxLength && form.pattern.test(name)),
    },
    ...more,
  ])
}

const limited = { maxProperties: mostFields } as const

/** What each field is set to. */
export const fieldsOf = (value: z.ZodType<string>, description: string) =>
  mapOf(anyField, value).meta({ description, ...limited })

/** New names by old ones, of fields or of headers. */
export const newNames = (description: string) =>
  mapOf(withName, namedField, [
    {
      cel: "self.all(name, name.startsWith('headers.') == self[name].startsWith('headers.'))",
      message: 'a header becomes a header, and a field of the value a field of the value',
      holds: (map) =>
        Object.entries(map).every(([from, to]) => from.startsWith('headers.') === to.startsWith('headers.')),
    },
  ]).meta({ description, ...limited })
