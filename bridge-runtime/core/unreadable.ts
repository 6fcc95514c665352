/** Keeps what a source could not read away from the sink, without decoding what the sink takes undecoded. */
import type { Cargo } from './cargo.ts'
import type { BridgeRecord, OpaqueBytes, SinkBatch } from './contracts.ts'
import { BridgeError } from './errors.ts'

/** A cargo as a sink sees it: its records are refused when one of them is poison. */
export class Readable implements SinkBatch {
  readonly origin: string
  readonly partition: string
  readonly bytes: number
  readonly count: number
  readonly opaque: OpaqueBytes | undefined
  readonly #cargo: Cargo
  #refused = false

  constructor(cargo: Cargo) {
    this.origin = cargo.origin
    this.partition = cargo.partition
    this.bytes = cargo.bytes
    this.count = cargo.count
    this.opaque = cargo.opaque
    this.#cargo = cargo
  }

  /** True once the records were asked for and refused: nothing is stored. */
  get refused(): boolean {
    return this.#refused
  }

  records(): readonly BridgeRecord[] {
    const records = this.#cargo.records()
    const poison = records.find((record) => record.poison !== undefined)?.poison
    if (poison === undefined) return records
    this.#refused = true
    throw new BridgeError(`a record cannot be read: ${poison.message}`, { kind: 'retryable', reason: poison.reason })
  }
}

/** Consecutive records to be delivered, or one that cannot be. */
export interface Part {
  readonly cargo: Cargo
  readonly poison?: BridgeError
  /** Writes that were tried with the one that cannot be delivered. */
  readonly attempts?: number
}

/** A cargo cut before and behind each record that cannot be read, in order; each part when it is its turn. */
export function* partsOf(cargo: Cargo): Generator<Part> {
  const records = cargo.records()
  let from = 0
  const until = (end: number): Cargo => cargo.only(Array.from({ length: end - from }, (_, index) => from + index))
  for (const [index, { poison }] of records.entries()) {
    if (poison === undefined) continue
    if (index > from) yield { cargo: until(index) }
    yield { cargo: cargo.only([index]), poison }
    from = index + 1
  }
  if (from < records.length) yield { cargo: until(records.length) }
}
