import { z } from 'zod'
import { oneOf, withRules } from '../../../crds/kit/rules.ts'
import { namedPattern } from '../../regex/field.ts'
import { compilePattern } from '../../regex/pattern.ts'
import { readTable, rowReader } from '../../texts/table.ts'
import { fieldTypes, typing } from '../../texts/types.ts'
import { parseJson, textOf } from '../../values/json.ts'
import { getAt, parsePath, setAt } from '../../values/path.ts'
import { asUnfit, Unfit } from '../../values/unfit.ts'
import { nameOf, type Value } from '../../values/value.ts'
import { defineStep } from '../define-step.ts'
import { valuePath } from '../field-path.ts'
import { accessLog } from './access-log.ts'
import { keyValue, pairs } from './key-value.ts'
import { regex } from './regex.ts'
import { syslog } from './syslog.ts'

const forms = {
  accessLog: z.enum(['Common', 'Combined']).meta({
    description:
      'A line of an access log, as Apache and nginx write it. Fields: ip, user, time (RFC 3339), method, path, protocol, status, bytes, and with Combined referer and userAgent; a hyphen is null.',
  }),
  regex: namedPattern.meta({
    description:
      'A regular expression of RE2 with named groups, `(?P<name>…)`: each is a field. It may match anywhere in the text: write ^ and $ for all of it.',
  }),
  csv: readTable.meta({ description: 'A row of CSV (RFC 4180). A cell with nothing in it is null.' }),
  json: z.object({}).meta({ description: 'JSON that stands in a text; no number changes.' }),
  syslog: z.enum(['RFC5424']).meta({
    description:
      'A message of syslog. Fields: facility, severity, time, host, app, processId, messageId, data (by element and name), message; a hyphen is null.',
  }),
  keyValue: pairs.meta({ description: 'Pairs like `level=info msg="it works"`. Each name is a field.' }),
}

const names = Object.keys(forms) as readonly (keyof typeof forms)[]

const schema = withRules(
  z
    .object({
      ...z.object(forms).partial().shape,
      types: fieldTypes.optional(),
      from: valuePath.default('value').meta({ description: 'The text that is read.' }),
      into: valuePath.default('value').meta({ description: 'What the fields replace.' }),
    })
    .superRefine(({ regex, types = {} }, context) => {
      const unknown = regex === undefined ? undefined : unknownGroup(regex, types)
      if (unknown !== undefined) context.addIssue(`types names ${unknown}, which is no group of regex`)
    }),
  [
    oneOf(names),
    {
      cel: '!has(self.types) || has(self.regex) || has(self.keyValue)',
      message: 'types go with regex and keyValue; csv has its own',
      holds: ({ types, regex, keyValue }) => types === undefined || regex !== undefined || keyValue !== undefined,
    },
    {
      cel: "self.from != 'value' || self.into == 'value'",
      message: 'a text that is the whole value has no fields: leave into away',
      holds: ({ from, into }) => from !== 'value' || into === 'value',
    },
  ],
)

type Config = z.output<typeof schema>

/** A name that is no group; undefined where the expression itself is wrong, which is told already. */
function unknownGroup(regex: string, types: Readonly<Record<string, string>>): string | undefined {
  try {
    const groups = compilePattern(regex).names
    return Object.keys(types).find((name) => groups[name] === undefined)
  } catch {
    return undefined
  }
}

/** What makes a value of the text. Throws `Unfit`. */
function readerOf({ accessLog: form, regex: pattern, csv, syslog: rfc, keyValue: marks, types }: Config): Reader {
  const typed = typing(types)
  if (form !== undefined) return accessLog(form)
  if (csv !== undefined) return rowReader(csv)
  if (rfc !== undefined) return syslog
  const fields = pattern === undefined ? undefined : regex(pattern)
  const read = fields ?? (marks === undefined ? undefined : keyValue(marks))
  return read === undefined ? json : (text) => typed(read(text))
}

type Reader = (text: string) => Value

function json(text: string): Value {
  try {
    return parseJson(text)
  } catch (error) {
    throw error instanceof Unfit && error.reason === 'NotJson' ? new Unfit('ParseMismatch', error.message) : error
  }
}

export const parse = defineStep({
  name: 'parse',
  summary: 'Makes fields of a text.',
  schema,
  open(config) {
    const read = readerOf(config)
    const from = parsePath(config.from)
    const into = parsePath(config.into)
    return {
      apply(draft) {
        const given = getAt(draft.value, from.names)
        const text = given instanceof Uint8Array ? textOf(given) : given
        if (typeof text !== 'string')
          throw new Unfit('ParseMismatch', `${from.text} is ${nameOf(text)}, not a text`, from.text)
        draft.value = setAt(draft.value, into, fieldsOf(read, text, from.text))
        return draft
      },
    }
  },
})

function fieldsOf(read: Reader, text: string, path: string): Value {
  try {
    return read(text)
  } catch (error) {
    const { reason, message } = asUnfit(error)
    throw new Unfit(reason, `${path}: ${message}`, path)
  }
}
