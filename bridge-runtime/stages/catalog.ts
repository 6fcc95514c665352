/** Every stage, one line each. The API, the runtime and the docs all read this list. */
import type { z } from 'zod'
import type { PartitionReader, Stage } from '../core/contracts.ts'
import type { StageDefinition } from './define-stage.ts'

export const stages: Readonly<Record<string, StageDefinition>> = {}

/** The configuration schemas of all stages, by name. */
export const stageSchemas: Readonly<Record<string, z.ZodType>> = Object.fromEntries(
  Object.entries(stages).map(([name, { schema }]) => [name, schema]),
)

type One = Readonly<Record<string, unknown>>

/** What makes the stages of a partition, in the order of the steps. Throws a TypeError for a step that names no stage: the schema refuses that before. */
export function stagesOf(steps: readonly One[]): (reader: Pick<PartitionReader, 'partition'>) => readonly Stage[] {
  const chosen = steps.map((step) => {
    const entry = Object.entries(step).find(([, config]) => config !== undefined)
    const definition = entry && stages[entry[0]]
    if (definition === undefined) throw new TypeError(`no stage named ${entry?.[0]}`)
    return { definition, config: entry?.[1] }
  })
  return () => chosen.map(({ definition, config }) => definition.open(config))
}
