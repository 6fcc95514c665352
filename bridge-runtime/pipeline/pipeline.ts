import type { BridgeRecord, Derived, Stage, StepFigures } from '../core/contracts.ts'
import { BridgeError } from '../core/errors.ts'
import type { Step } from '../steps/define-step.ts'
import { asUnfit } from '../values/unfit.ts'
import { Draft, type DraftPlace } from '../draft/draft.ts'
import { type Codings, recordOf } from './encoding.ts'

export interface NamedStep {
  /** The path of its field in the person's manifest, in messages and metrics: `spec.transforms[0].filter`. */
  readonly field: string
  readonly step: Step
}

export interface PipelineOptions {
  readonly steps: readonly NamedStep[]
  readonly codings: Codings
  readonly place: DraftPlace
  /** Where the records go: topic, stream, event hub. */
  readonly target: string
}

/** A record on its way, or why it cannot go on. */
interface Moving {
  readonly parent: number
  readonly draft: Draft
  readonly poison: BridgeError | undefined
}

/** decode → steps → encode, for the records of one partition. */
export function pipeline(options: PipelineOptions): Stage {
  const { steps, place, target, codings } = options
  return {
    name: 'transforms',
    prepare: (records, signal) => prepareAll(options, records, signal),
    apply(records) {
      const figures: StepFigures[] = []
      let moving: Moving[] = records.map((record, parent) => ({
        parent,
        draft: new Draft(record, place),
        poison: undefined,
      }))
      for (const named of steps) moving = through(named, moving, figures)
      const made = moving.map((one) => finish(one, codings, target))
      return derivedOf(records, made, moving, figures)
    },
  }
}

/** Everybody who needs something is asked, one after the other; nothing is awaited where all is there. */
export function prepareAll(
  { steps, codings, target }: PipelineOptions,
  records: readonly BridgeRecord[],
  signal: AbortSignal,
): Promise<void> | undefined {
  const { value, key } = codings
  const waits = [
    value.decoder.prepare?.(present(records, 'value'), signal),
    key.decoder.prepare?.(present(records, 'key'), signal),
    value.encoder.prepare?.([target], signal),
    key.encoder.prepare?.([target], signal),
    ...steps.map(({ step }) => step.prepare?.(signal)),
  ].filter((wait) => wait !== undefined)
  return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined)
}

const present = (records: readonly BridgeRecord[], part: 'value' | 'key'): Buffer[] =>
  records.flatMap((record) => record[part] ?? [])

function through({ field, step }: NamedStep, moving: readonly Moving[], figures: StepFigures[]): Moving[] {
  const started = performance.now()
  const next: Moving[] = []
  let given = 0
  let filtered = 0
  let failed = 0
  for (const one of moving) {
    if (one.poison !== undefined) {
      next.push(one)
      continue
    }
    given += 1
    try {
      const drafts = asList(step.apply(one.draft))
      if (drafts.length === 0) filtered += 1
      for (const draft of drafts) next.push(draft === one.draft ? one : { ...one, draft })
    } catch (thrown) {
      failed += 1
      next.push({ ...one, poison: poisonOf(thrown, field) })
    }
  }
  const seconds = (performance.now() - started) / 1000
  figures.push({ step: field, in: given, filtered, failed, seconds })
  return next
}

const nothing: readonly Draft[] = []

export function asList(made: Draft | readonly Draft[] | undefined): readonly Draft[] {
  if (made === undefined) return nothing
  return made instanceof Draft ? [made] : made
}

function finish({ draft, poison }: Moving, codings: Codings, target: string): BridgeRecord {
  if (poison !== undefined) return { ...draft.source, poison }
  try {
    return recordOf(draft, codings, target)
  } catch (thrown) {
    return { ...draft.source, poison: poisonOf(thrown, 'spec.encode') }
  }
}

/** Says the step and the field, and nothing of what the record holds. */
export function poisonOf(thrown: unknown, field: string): BridgeError {
  const { reason, message, path } = asUnfit(thrown)
  return new BridgeError(`${field}: ${message}`, { kind: 'poison', reason, place: { step: field, path } })
}

function derivedOf(
  given: readonly BridgeRecord[],
  made: readonly BridgeRecord[],
  moving: readonly Moving[],
  steps: readonly StepFigures[],
): Derived {
  const oneToOne = made.length === given.length && moving.every(({ parent }, index) => parent === index)
  if (oneToOne && made.every((record, index) => record === given[index])) return { records: given, steps }
  return { records: made, parents: oneToOne ? undefined : Uint32Array.from(moving, ({ parent }) => parent), steps }
}
