import type { z } from 'zod'
import type { Stage } from '../core/contracts.ts'

export interface StageDefinition<Schema extends z.ZodType = z.ZodType> {
  /** The key in the manifest: `spec.transforms[0].<name>`. */
  readonly name: string
  readonly summary: string
  readonly schema: Schema
  /** Makes the stage of one partition for one ownership epoch. */
  open(config: z.output<Schema>): Stage
}

/** Checks a stage's definition against its own schema at compile time. */
export const defineStage = <S extends z.ZodType>(definition: StageDefinition<S>): StageDefinition<S> => definition
