import type { BridgeRecord, Position, SourceBatch } from '../contracts.ts'

/** What the stages made of a batch. */
export interface Outputs {
  readonly records: readonly BridgeRecord[]
  /** Of each output the index of its source record, ascending. */
  readonly parents: Uint32Array
  /** Payload bytes that they take beside the source batch. */
  readonly bytes: number
}

/** Which outputs are open. */
interface Derivation extends Outputs {
  /** Open outputs of each source record. */
  readonly pending: Uint32Array
  readonly done: Uint8Array
}

const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index)

/**
 * A batch between source and settlement. Lanes and sinks see its outputs, which are its records where no stage changed
 * them; the source sees its records, each settled when all of its outputs are.
 */
export class InFlightBatch {
  /** When the engine took it, on the monotonic clock. */
  readonly since: number
  #source: SourceBatch
  /** Source records not settled yet. */
  #open: number
  /** Which source records are settled; made only when the batch settles piecemeal. */
  #settled: Uint8Array | undefined
  #derivation: Derivation | undefined
  /** Outputs that an append sink has accepted, while not all are. */
  #accepted = 0
  #released = false
  readonly #deadLettered = new Set<number>()

  constructor(source: SourceBatch, since: number) {
    this.#source = source
    this.since = since
    this.#open = source.count
  }

  get source(): SourceBatch {
    return this.#source
  }

  /** Outputs. */
  get count(): number {
    return this.#derivation?.records.length ?? this.#source.count
  }

  /** Payload bytes that it holds: those of the source records, which a dead-letter record repeats, and of the outputs. */
  get bytes(): number {
    return this.#released ? 0 : this.#source.bytes + (this.#derivation?.bytes ?? 0)
  }

  /** The outputs. Empty once released. */
  records(): readonly BridgeRecord[] {
    return this.#derivation?.records ?? this.#source.records()
  }

  /** The record an output came from, as the source gave it. */
  sourceRecord(output: number): BridgeRecord {
    return this.#source.records()[this.#parentOf(output)] as BridgeRecord
  }

  /** True the first time for each source record: one dead-letter record stands for all of its outputs. */
  firstDeadLetter(output: number): boolean {
    const parent = this.#parentOf(output)
    if (this.#deadLettered.has(parent)) return false
    this.#deadLettered.add(parent)
    return true
  }

  /** Takes what the stages made, once and before anything is settled. @returns the source records without an output: they are settled */
  derive(outputs: Outputs): readonly number[] {
    const pending = new Uint32Array(this.#source.count)
    for (const parent of outputs.parents) pending[parent] = (pending[parent] as number) + 1
    this.#derivation = { ...outputs, pending, done: new Uint8Array(outputs.records.length) }
    return this.#settle(upTo(pending.length).filter((index) => pending[index] === 0))
  }

  /** Settles outputs. Settling one twice is harmless. @returns the source records that are settled by it */
  settle(outputs: readonly number[] | 'all'): readonly number[] | 'all' {
    const derivation = this.#derivation
    if (outputs === 'all' && derivation === undefined && this.#open === this.#source.count) {
      this.#open = 0
      return 'all'
    }
    const chosen = outputs === 'all' ? upTo(this.count) : outputs
    if (derivation === undefined) return this.#settle(chosen)
    const { pending, done, parents } = derivation
    const complete: number[] = []
    for (const output of chosen) {
      if (done[output] === 1) continue
      done[output] = 1
      const parent = parents[output] as number
      const left = (pending[parent] as number) - 1
      pending[parent] = left
      if (left === 0) complete.push(parent)
    }
    return this.#settle(complete)
  }

  /** An append sink has so many more of the outputs in its keeping. @returns true when nobody needs the records any more */
  accept(outputs: number): boolean {
    this.#accepted += outputs
    return this.#accepted >= this.count
  }

  /** Lets the records go and keeps their number and positions. */
  release(): void {
    const { count, first, last, lastTimestamp } = this.#source
    this.#source = { count, bytes: 0, first, last, lastTimestamp, records: () => [] }
    if (this.#derivation !== undefined) this.#derivation = { ...this.#derivation, records: [], bytes: 0 }
    this.#released = true
  }

  /** Source records that are not settled. */
  get open(): number {
    return this.#open
  }

  /** Settled source records before the first open one. */
  get prefix(): number {
    return this.#open === 0 ? this.#source.count : Math.max(0, this.#settled?.indexOf(0) ?? 0)
  }

  /** The position of the last of them; undefined when there is none, or it is not known any more. */
  get settledPosition(): Position | undefined {
    if (this.#open === 0) return this.#source.last
    const { prefix } = this
    return prefix === 0 ? undefined : this.#source.records()[prefix - 1]?.position
  }

  #parentOf(output: number): number {
    return this.#derivation?.parents[output] ?? output
  }

  #settle(indexes: readonly number[]): readonly number[] {
    if (indexes.length === 0) return indexes
    const settled = (this.#settled ??= new Uint8Array(this.#source.count))
    const news: number[] = []
    for (const index of indexes) {
      if (settled[index] === 1) continue
      settled[index] = 1
      news.push(index)
    }
    this.#open -= news.length
    return news
  }
}
