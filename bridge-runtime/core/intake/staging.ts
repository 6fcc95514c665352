/** Takes batches through the stages of a bridge. */
import type { Outputs } from '../commit/in-flight-batch.ts'
import type { Clock } from '../clock.ts'
import type { BridgeRecord, Derived, Stage, StepFigures } from '../contracts.ts'
import { recordBytes } from '../delivery/write-batch.ts'

/** Records, and bytes of them, that a stage is given at once: it works without a pause. */
const chunk = 256
const chunkBytes = 256 * 1024
/** Milliseconds of work after which others have a turn: heartbeats and leases are renewed by the same thread. */
const turn = 5

export interface Staged {
  /** Undefined: nothing was changed. */
  readonly outputs: Outputs | undefined
  /** What each step did, once for each call. */
  readonly steps: readonly StepFigures[]
}

/** Lets others have their turn now and then. */
class Turns {
  readonly #clock: Clock
  #since: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#since = clock.monotonic()
  }

  async next(): Promise<void> {
    if (this.#clock.monotonic() - this.#since < turn) return
    await new Promise((resolve) => setImmediate(resolve))
    this.#since = this.#clock.monotonic()
  }
}

/**
 * What the stages make of these records, in order. Rejects when a stage cannot be prepared, with its error; nothing is lost by asking again.
 * Undefined when the signal aborts.
 */
export async function applyStages(
  stages: readonly Stage[],
  records: readonly BridgeRecord[],
  clock: Clock,
  signal: AbortSignal,
): Promise<Staged | undefined> {
  const work: Work = { turns: new Turns(clock), steps: [], signal }
  const { steps } = work
  let current: readonly BridgeRecord[] = records
  let parents: Uint32Array | undefined
  for (const stage of stages) {
    const made = await through(stage, current, work)
    if (made === undefined) return undefined
    if (made === 'unchanged') continue
    const before = parents
    parents = before === undefined ? made.parents : made.parents.map((parent) => before[parent] as number)
    current = made.records
  }
  if (parents === undefined) return { outputs: undefined, steps }
  // Bytes that an output shares with its source record count twice: the memory bound errs on the safe side.
  const bytes = current.reduce((sum, record) => sum + recordBytes(record), 0)
  return { outputs: { records: current, parents, bytes }, steps }
}

interface Made {
  readonly records: readonly BridgeRecord[]
  readonly parents: Uint32Array
}

interface Work {
  readonly turns: Turns
  readonly steps: StepFigures[]
  readonly signal: AbortSignal
}

async function through(
  stage: Stage,
  records: readonly BridgeRecord[],
  { turns, steps, signal }: Work,
): Promise<Made | 'unchanged' | undefined> {
  const made: BridgeRecord[] = []
  const parents: number[] = []
  let changed = false
  for (let from = 0; from < records.length; ) {
    const part = records.slice(from, endOfChunk(records, from))
    const prepared = stage.prepare?.(readable(part), signal)
    if (prepared !== undefined) await prepared
    if (signal.aborted) return undefined
    const { records: outputs, parents: within } = applyTo(stage, part, steps)
    changed ||= outputs !== part
    for (const [index, output] of outputs.entries()) {
      made.push(output)
      parents.push(from + (within?.[index] ?? index))
    }
    from += part.length
    await turns.next()
  }
  return changed ? { records: made, parents: Uint32Array.from(parents) } : 'unchanged'
}

function endOfChunk(records: readonly BridgeRecord[], from: number): number {
  const most = Math.min(records.length, from + chunk)
  let end = from
  for (let bytes = 0; end < most && bytes < chunkBytes; end += 1) bytes += recordBytes(records[end] as BridgeRecord)
  return end
}

const readable = (records: readonly BridgeRecord[]): readonly BridgeRecord[] =>
  records.some(({ poison }) => poison !== undefined) ? records.filter(({ poison }) => poison === undefined) : records

/** A stage is given no poison: that passes it by, in its place. */
function applyTo(stage: Stage, records: readonly BridgeRecord[], steps: StepFigures[]): Derived {
  const given = readable(records)
  const derived = run(stage, given, steps)
  if (given === records) return derived
  const made: BridgeRecord[] = []
  const parents: number[] = []
  let next = 0
  let reader = 0
  for (const [index, record] of records.entries()) {
    if (record.poison !== undefined) {
      made.push(record)
      parents.push(index)
      continue
    }
    for (; next < derived.records.length && (derived.parents?.[next] ?? next) === reader; next += 1) {
      made.push(derived.records[next] as BridgeRecord)
      parents.push(index)
    }
    reader += 1
  }
  return { records: made, parents: Uint32Array.from(parents) }
}

function run(stage: Stage, given: readonly BridgeRecord[], steps: StepFigures[]): Derived {
  const derived = checked(stage, given, stage.apply(given))
  if (derived.steps !== undefined) steps.push(...derived.steps)
  else {
    const filtered = derived.parents === undefined ? 0 : given.length - new Set(derived.parents).size
    steps.push({ step: stage.name, in: given.length, filtered, failed: 0, seconds: 0 })
  }
  return derived
}

/** A stage that forgets a record or invents one would lose it or settle another: that is a fault of the stage, told at once. */
function checked(stage: Stage, given: readonly BridgeRecord[], derived: Derived): Derived {
  const { records, parents } = derived
  const fits =
    parents === undefined
      ? records.length === given.length
      : parents.length === records.length &&
        parents.every((parent, index) => parent < given.length && parent >= (parents[index - 1] ?? 0))
  if (!fits) throw new TypeError(`stage ${stage.name} does not say where its outputs come from`)
  return derived
}
