import type { z } from 'zod'
import type { TransformContext } from '../formats/define-format.ts'
import type { Draft } from '../draft/draft.ts'

/** One step on the way of a record. */
export interface Step {
  /**
   * Called before `apply`: resolves when what the step needs is there (a table, a database); undefined when it is already. Rejects
   * with a retryable BridgeError; called again after a backoff.
   */
  prepare?(signal: AbortSignal): Promise<void> | undefined
  /**
   * Changes the draft and returns it, or what it becomes: undefined is filtered out. No I/O, no clock, no chance. Throws `Unfit`, and
   * then the record goes on as the source gave it, as poison.
   */
  apply(draft: Draft): Draft | readonly Draft[] | undefined
}

export interface StepDefinition<Schema extends z.ZodType = z.ZodType> {
  /** The key in the manifest: `spec.transforms[0].<name>`. */
  readonly name: string
  readonly summary: string
  readonly schema: Schema
  /** True where it gives records other keys, which `ordering: PerPartition` cannot have. */
  readonly changesKeys?: boolean
  /** Makes the step of one partition for one ownership epoch. */
  open(config: z.output<Schema>, context: TransformContext): Step
}

/** Checks a step's definition against its own schema at compile time. */
export const defineStep = <S extends z.ZodType>(definition: StepDefinition<S>): StepDefinition<S> => definition
