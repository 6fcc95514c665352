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

/** Exactly one of these fields is set. */
export const oneOf = (names: readonly string[]): Rule<object> => ({
  cel: `[${names.map((name) => `has(self.${name})`).join(', ')}].filter(isSet, isSet).size() == 1`,
  message: `set exactly one of: ${names.join(', ')}`,
  holds: (value) =>
    Object.entries(value).filter(([name, member]) => names.includes(name) && member !== undefined).length === 1,
})

/** An object of which exactly one member is set: the only union a structural schema can hold. */
export function exactlyOne<Shape extends z.core.$ZodShape>(members: Shape) {
  return withRules(z.object(members).partial(), [oneOf(Object.keys(members))])
}

interface Form {
  readonly pattern: RegExp
  /** What to write instead. */
  readonly message: string
  readonly maxLength: number
}

/** CEL that matches a string. The pattern must mean the same in RE2, which the API server uses. */
export const matching = (pattern: RegExp): string => `self.matches(r'${pattern.source.replaceAll('\\/', '/')}')`

/**
 * A string of a given form. It is a CEL rule and not a `pattern`, because for a pattern the API server prints the
 * expression and for a rule it prints what to write.
 */
export const textOf = ({ pattern, message, maxLength }: Form) =>
  withRules(z.string().max(maxLength), [{ cel: matching(pattern), message, holds: (value) => pattern.test(value) }])

/** A field the API server keeps as it is, because its shape is Kubernetes' own (affinity, tolerations, ...). */
export const kubernetesObject = (description: string) =>
  z.looseObject({}).meta({ description, 'x-kubernetes-preserve-unknown-fields': true })
