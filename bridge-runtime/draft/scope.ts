import { isUtf8 } from 'node:buffer'
import type { Header, Position } from '../core/contracts.ts'
import type { Value } from '../values/value.ts'

/** What the variables are read from. */
export interface Readable {
  readonly value: Value
  readonly key: Value
  readonly headers: readonly Header[]
  readonly timestamp: number
  readonly source: { readonly position: Position }
  readonly place: { readonly partition: string; readonly stream: string }
  readonly parts: readonly number[]
}

/** The variables of an expression, each read when it is asked for: a filter on a header decodes no value. */
export class Scope {
  readonly #draft: Readable

  constructor(draft: Readable) {
    this.#draft = draft
  }

  get value(): Value {
    return this.#draft.value
  }

  get key(): Value {
    return this.#draft.key
  }

  get headers(): ReadonlyMap<string, string | Uint8Array | null> {
    return new Map(
      this.#draft.headers.map(({ name, value }) => [name, value === null || !isUtf8(value) ? value : value.toString()]),
    )
  }

  get timestamp(): Date {
    return new Date(this.#draft.timestamp)
  }

  get partition(): string {
    return this.#draft.place.partition
  }

  get position(): string {
    return String(this.#draft.source.position)
  }

  get source(): string {
    return this.#draft.place.stream
  }

  get index(): bigint {
    return BigInt(this.#draft.parts.at(-1) ?? 0)
  }
}
