/** Building blocks of the API. Each states its limits once: YAML, types, documentation and error texts follow from here. */
import { z } from 'zod'

/** Key of the metadata that only the reference documentation reads: a type's name there, and its limits in short. */
export const docs = 'x-docs'

/** A rule that the API server (CEL) and zod both check, with one message. */
export interface Rule<Value> {
  /** CEL over `self`. */
  readonly cel: string
  /** What to write instead. */
  readonly message: string
  /** The same in TypeScript; absent only for transition rules (`oldSelf`), which need a previous object. */
  readonly holds?: (value: Value) => boolean
  /** The field at fault, where it is not the object itself. */
  readonly at?: readonly string[]
}

/** Attaches rules to a schema: `x-kubernetes-validations` in the CRD, refinements in zod. */
export function withRules<Schema extends z.ZodType>(schema: Schema, rules: readonly Rule<z.output<Schema>>[]): Schema {
  let refined: Schema = schema
  for (const { holds, message, at = [] } of rules)
    if (holds !== undefined) refined = refined.refine(holds, { message, path: [...at], params: { at } })
  return refined.meta({
    'x-kubernetes-validations': rules.map(({ cel, message, at }) => ({
      rule: cel,
      message,
      ...(at === undefined ? {} : { fieldPath: `.${at.join('.')}` }),
    })),
  })
}

/** An object of which exactly one member is set: the only union a structural schema can hold. */
export function exactlyOne<Shape extends z.core.$ZodShape>(members: Shape) {
  const names = Object.keys(members)
  const object = z.object(members).partial()
  return withRules(object, [
    {
      cel: `[${names.map((name) => `has(self.${name})`).join(', ')}].filter(isSet, isSet).size() == 1`,
      message: `set exactly one of: ${names.join(', ')}`,
      holds: (value) => Object.values(value).filter((member) => member !== undefined).length === 1,
    },
  ])
}

interface Form {
  readonly pattern: RegExp
  /** What to write instead. */
  readonly message: string
  readonly maxLength: number
}

/** CEL that matches a string. The pattern must mean the same in RE2, which the API server uses. */
const matching = (pattern: RegExp): string => `self.matches(r'${pattern.source.replaceAll('\\/', '/')}')`

/**
 * A string of a given form. It is a CEL rule and not a `pattern`, because for a pattern the API server prints the
 * expression and for a rule it prints what to write.
 */
export const textOf = ({ pattern, message, maxLength }: Form) =>
  withRules(z.string().max(maxLength), [{ cel: matching(pattern), message, holds: (value) => pattern.test(value) }])

/** Smallest and largest value, both allowed. */
interface Bounds {
  readonly min?: string
  readonly max?: string
}

const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const
const durationForm = /^([0-9]{1,8}ms|[0-9]{1,6}(s|m|h))$/

/** A length of time: a whole number and one unit, `250ms`, `30s`, `5m`, `1h`. From 1ms to 24h unless bounds are given. */
export const duration = (description: string, { min = '1ms', max = '24h' }: Bounds = {}) =>
  withRules(z.string().max(12), [
    {
      cel: `${matching(durationForm)} && duration(self) >= duration('${min}') && duration(self) <= duration('${max}')`,
      message: `write a whole number and a unit (250ms, 30s, 5m, 1h), from ${min} to ${max}`,
      holds: (value) =>
        durationForm.test(value) &&
        milliseconds(value) >= milliseconds(min) &&
        milliseconds(value) <= milliseconds(max),
    },
  ]).meta({ description, [docs]: { type: 'duration', limits: `${min} to ${max}` } })

/** Milliseconds of a `duration`. */
export function milliseconds(value: string): number {
  const match = /^([0-9]+)(ms|s|m|h)$/.exec(value)
  if (match === null) throw new TypeError(`not a duration: ${value}`)
  return Number(match[1]) * units[match[2] as keyof typeof units]
}

const sizes = { '': 1, Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3 } as const
const byteSizeForm = /^[0-9]{1,12}(Ki|Mi|Gi)?$/

/** An amount of bytes: `1048576`, `512Ki`, `32Mi`, `1Gi`. From 1 to 1024Gi unless bounds are given. */
export const byteSize = (description: string, { min = '1', max = '1024Gi' }: Bounds = {}) =>
  withRules(z.string().max(16), [
    {
      cel: `${matching(byteSizeForm)} && quantity(self).compareTo(quantity('${min}')) >= 0 && quantity(self).compareTo(quantity('${max}')) <= 0`,
      message: `write bytes, or a whole number and a unit (1048576, 512Ki, 32Mi, 1Gi), from ${min} to ${max}`,
      holds: (value) => byteSizeForm.test(value) && bytes(value) >= bytes(min) && bytes(value) <= bytes(max),
    },
  ]).meta({ description, [docs]: { type: 'size', limits: `${min} to ${max}` } })

/** Bytes of a `byteSize`. */
export function bytes(value: string): number {
  const match = /^([0-9]+)(Ki|Mi|Gi|)$/.exec(value)
  if (match === null) throw new TypeError(`not a size: ${value}`)
  return Number(match[1]) * sizes[match[2] as keyof typeof sizes]
}

/** One key of a Secret in the bridge's own namespace. */
export const secretKeyRef = (description: string) =>
  z
    .object({
      name: textOf({
        pattern: /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/,
        message: 'write the name of a Secret in the namespace of the StreamBridge',
        maxLength: 253,
      }).meta({ description: 'Name of a Secret in the namespace of the StreamBridge.' }),
      key: textOf({
        pattern: /^[-._a-zA-Z0-9]+$/,
        message: 'write a key of the Secret: letters, digits, hyphen, dot, underscore',
        maxLength: 253,
      }).meta({ description: 'Key within the Secret.' }),
    })
    .meta({ description, [docs]: { type: 'secret key' } })

export type SecretKeyRef = z.output<ReturnType<typeof secretKeyRef>>

/** TLS towards a broker. */
export const tls = z
  .object({
    caSecretRef: secretKeyRef('PEM certificates to trust instead of the public ones.').optional(),
    certSecretRef: secretKeyRef('PEM client certificate, for mutual TLS.').optional(),
    keySecretRef: secretKeyRef('PEM private key of the client certificate.').optional(),
    insecureSkipVerify: z
      .boolean()
      .default(false)
      .meta({ description: 'Accept any server certificate. Only for trials: the connection can then be listened to.' }),
  })
  .meta({ description: 'Encrypt the connection. An empty object trusts the public certificate authorities.' })

export const mutualTlsRule: Rule<z.output<typeof tls>> = {
  cel: 'has(self.certSecretRef) == has(self.keySecretRef)',
  message: 'certSecretRef and keySecretRef go together: set both or neither',
  holds: (value) => (value.certSecretRef === undefined) === (value.keySecretRef === undefined),
}

const rfc3339 =
  /^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3])(:[0-5][0-9]){2}([.][0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$/

/** Where to start when no checkpoint exists. */
export const startPosition = (
  types: readonly ['Earliest' | 'Latest' | 'Timestamp', ...('Earliest' | 'Latest' | 'Timestamp')[]],
) =>
  withRules(
    z.object({
      type: z.enum(types).default('Earliest').meta({ description: 'Earliest, Latest, or Timestamp with `timestamp`.' }),
      timestamp: textOf({ pattern: rfc3339, message: 'write an RFC 3339 time: 2026-01-31T12:00:00Z', maxLength: 40 })
        .meta({ description: 'RFC 3339 time of the first record to read, with type Timestamp.' })
        .optional(),
    }),
    [
      {
        cel: "(self.type == 'Timestamp') == has(self.timestamp)",
        message: 'timestamp goes with type Timestamp, and only with it',
        holds: (value) => (value.type === 'Timestamp') === (value.timestamp !== undefined),
      },
    ],
  )
    .prefault({})
    .meta({ description: 'Where to start when the bridge has no checkpoint yet. It has no effect afterwards.' })

/** A field the API server keeps as it is, because its shape is Kubernetes' own (affinity, tolerations, ...). */
export const kubernetesObject = (description: string) =>
  z.looseObject({}).meta({ description, 'x-kubernetes-preserve-unknown-fields': true })
