/** Building blocks of the API. Each states its limits once: YAML, types, documentation and error texts follow from here. */
import { z } from 'zod'

/** A rule that the API server (CEL) and zod both check, with one message. */
export interface Rule<Value> {
  /** CEL over `self`. */
  readonly cel: string
  /** What to write instead. */
  readonly message: string
  /** The same in TypeScript; absent only for transition rules (`oldSelf`), which need a previous object. */
  readonly holds?: (value: Value) => boolean
}

/** Attaches rules to a schema: `x-kubernetes-validations` in the CRD, refinements in zod. */
export function withRules<Schema extends z.ZodType>(schema: Schema, rules: readonly Rule<z.output<Schema>>[]): Schema {
  let refined: Schema = schema
  for (const { holds, message } of rules) if (holds !== undefined) refined = refined.refine(holds, { message })
  return refined.meta({ 'x-kubernetes-validations': rules.map(({ cel, message }) => ({ rule: cel, message })) })
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

const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const

/** A length of time: a whole number and one unit, `250ms`, `30s`, `5m`, `1h`. */
export const duration = (description: string) =>
  z
    .string()
    .regex(/^[0-9]{1,9}(ms|s|m|h)$/, 'write a whole number and a unit: 250ms, 30s, 5m or 1h')
    .meta({ description, maxLength: 12 })

/** Milliseconds of a `duration`. */
export function milliseconds(value: string): number {
  const match = /^([0-9]+)(ms|s|m|h)$/.exec(value)
  if (match === null) throw new TypeError(`not a duration: ${value}`)
  return Number(match[1]) * units[match[2] as keyof typeof units]
}

const sizes = { '': 1, Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3 } as const

/** An amount of bytes: `1048576`, `512Ki`, `32Mi`, `1Gi`. */
export const byteSize = (description: string) =>
  z
    .string()
    .regex(/^[0-9]{1,12}(Ki|Mi|Gi)?$/, 'write bytes, or a whole number and a unit: 1048576, 512Ki, 32Mi or 1Gi')
    .meta({ description, maxLength: 16 })

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
      name: z
        .string()
        .min(1)
        .max(253)
        .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'write the name of a Secret in the namespace of the StreamBridge')
        .meta({ description: 'Name of a Secret in the namespace of the StreamBridge.' }),
      key: z
        .string()
        .min(1)
        .max(253)
        .regex(/^[-._a-zA-Z0-9]+$/, 'write a key of the Secret')
        .meta({ description: 'Key within the Secret.' }),
    })
    .meta({ description })

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

/** Where to start when no checkpoint exists. */
export const startPosition = (
  types: readonly ['Earliest' | 'Latest' | 'Timestamp', ...('Earliest' | 'Latest' | 'Timestamp')[]],
) =>
  withRules(
    z.object({
      type: z.enum(types).default('Earliest').meta({ description: 'Earliest, Latest, or Timestamp with `timestamp`.' }),
      timestamp: z.iso
        .datetime({ offset: true, message: 'write an RFC 3339 time: 2026-01-31T12:00:00Z' })
        .max(40)
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
