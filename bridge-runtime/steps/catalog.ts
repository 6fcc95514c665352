/** Every step, one line each. The API, the runtime and the docs all read this list. */
import type { z } from 'zod'
import type { TransformContext } from '../formats/define-format.ts'
import type { Step, StepDefinition } from './define-step.ts'
import { enrich } from './enrich/index.ts'
import { explode } from './explode/index.ts'
import { filter } from './filter/index.ts'
import { parse } from './parse/index.ts'
import { redact } from './redact/index.ts'
import { rekey } from './rekey/index.ts'
import { remove } from './remove/index.ts'
import { rename } from './rename/index.ts'
import { sample } from './sample/index.ts'
import { set } from './set/index.ts'

export const steps: Readonly<Record<string, StepDefinition>> = {
  filter,
  set,
  rename,
  remove,
  explode,
  rekey,
  sample,
  parse,
  redact,
  enrich,
}

/** The configuration schemas of all steps, by name. */
export const stepSchemas: Readonly<Record<string, z.ZodType>> = Object.fromEntries(
  Object.entries(steps).map(([name, { schema }]) => [name, schema]),
)

/** One step as a person wrote it: exactly one name. */
export type Choice = Readonly<Record<string, unknown>>

/** Throws a TypeError for a step that is not there: the schema refuses that before. */
export function chosenStep(choice: Choice): { readonly definition: StepDefinition; readonly config: unknown } {
  const [name, config] = Object.entries(choice).find(([, value]) => value !== undefined) ?? []
  const definition = name === undefined ? undefined : steps[name]
  if (definition === undefined) throw new TypeError(`no step named ${name}`)
  return { definition, config }
}

export function openStep(choice: Choice, context: TransformContext): { readonly name: string; readonly step: Step } {
  const { definition, config } = chosenStep(choice)
  const { name } = definition
  return { name, step: definition.open(config, { ...context, field: `${context.field}.${name}` }) }
}
