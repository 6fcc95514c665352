/** One record's way, step by step, for a person who wants to see it. */
import type { BridgeRecord, Header } from '../core/contracts.ts'
import type { BridgeError } from '../core/errors.ts'
import { Draft } from '../draft/draft.ts'
import { Unfit } from '../values/unfit.ts'
import { copyOf, type Value } from '../values/value.ts'
import { recordOf } from './encoding.ts'
import { asList, type PipelineOptions, poisonOf, prepareAll } from './pipeline.ts'

/** A record as it is between two steps: a copy. */
export interface Snapshot {
  readonly key: Value
  /** What cannot be decoded is bytes. */
  readonly value: Value
  readonly headers: readonly Header[]
  readonly timestamp: number
}

/** What one step made of one record. */
export interface TracedStep {
  /** `spec.transforms[0].filter` */
  readonly step: string
  readonly before: Snapshot
  /** None: it was filtered out. */
  readonly after: readonly Snapshot[]
  readonly error?: BridgeError
}

export interface Trace {
  readonly steps: readonly TracedStep[]
  /** What is written, or set aside (`poison`). */
  readonly outputs: readonly BridgeRecord[]
}

/** Rejects when something that a step needs is not there, with its error. */
export async function trace(options: PipelineOptions, record: BridgeRecord): Promise<Trace> {
  await prepareAll(options, [record], new AbortController().signal)
  const steps: TracedStep[] = []
  const follow = (draft: Draft, at: number): readonly BridgeRecord[] => {
    const named = options.steps[at]
    if (named === undefined) return [written(draft, options)]
    const before = snapshot(draft)
    try {
      const made = asList(named.step.apply(draft))
      steps.push({ step: named.field, before, after: made.map(snapshot) })
      return made.flatMap((next) => follow(next, at + 1))
    } catch (thrown) {
      const error = poisonOf(thrown, named.field)
      steps.push({ step: named.field, before, after: [], error })
      return [{ ...record, poison: error }]
    }
  }
  const outputs = follow(new Draft(record, options.place), 0)
  return { steps, outputs }
}

function written(draft: Draft, { codings, target }: PipelineOptions): BridgeRecord {
  try {
    return recordOf(draft, codings, target)
  } catch (thrown) {
    return { ...draft.source, poison: poisonOf(thrown, 'spec.encode') }
  }
}

const snapshot = (draft: Draft): Snapshot => ({
  key: readable(() => draft.key, draft.source.key),
  value: readable(() => draft.value, draft.source.value),
  headers: draft.headers,
  timestamp: draft.timestamp,
})

/** A copy, for the next step changes the value in place. */
function readable(decode: () => Value, bytes: Buffer | null): Value {
  try {
    return copyOf(decode())
  } catch (thrown) {
    if (thrown instanceof Unfit) return bytes
    throw thrown
  }
}
