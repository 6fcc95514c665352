import type { BridgeRecord, Header } from '../core/contracts.ts'
import type { Decoder } from '../formats/define-format.ts'
import { textOf } from '../values/json.ts'
import { Unfit } from '../values/unfit.ts'
import type { Value } from '../values/value.ts'
import { Scope } from './scope.ts'

/** What all drafts of a partition have in common. */
export interface DraftPlace {
  readonly partition: string
  /** Topic, stream, subscription or event hub. */
  readonly stream: string
  readonly decodeValue: Decoder
  /** Absent: the key is text. */
  readonly decodeKey: Decoder | undefined
}

/** A record while steps work on it. Its parts are decoded when somebody asks, and encoded again only when somebody changed them. */
export class Draft {
  readonly source: BridgeRecord
  readonly place: DraftPlace
  headers: readonly Header[]
  timestamp: number
  /** Which part of an exploded record it is, and of that part, and so on; none: it is the record itself. */
  parts: readonly number[] = []
  #scope: Scope | undefined
  #value: Value | undefined
  #valueChanged = false
  #key: Value | undefined
  #keyChanged = false

  constructor(source: BridgeRecord, place: DraftPlace) {
    this.source = source
    this.place = place
    this.headers = source.headers
    this.timestamp = source.timestamp
  }

  /** The value, which the caller may change if it says so with `valueChanged`. Throws `Unfit`. */
  get value(): Value {
    if (this.#value !== undefined) return this.#value
    const { value } = this.source
    this.#value = value === null ? null : within('value', () => this.place.decodeValue.decode(value))
    return this.#value
  }

  set value(value: Value) {
    this.#value = value
    this.#valueChanged = true
  }

  get hasChangedValue(): boolean {
    return this.#valueChanged
  }

  get key(): Value {
    if (this.#key !== undefined) return this.#key
    const { key } = this.source
    const decode = this.place.decodeKey?.decode.bind(this.place.decodeKey) ?? textOf
    this.#key = key === null ? null : within('key', () => decode(key))
    return this.#key
  }

  set key(key: Value) {
    this.#key = key
    this.#keyChanged = true
  }

  get hasChangedKey(): boolean {
    return this.#keyChanged
  }

  /** What an expression sees of it. */
  get scope(): Scope {
    this.#scope ??= new Scope(this)
    return this.#scope
  }

  /** A record of its own with one part of the value. */
  part(value: Value, index: number): Draft {
    const part = new Draft(this.source, this.place)
    part.headers = this.headers
    part.timestamp = this.timestamp
    part.parts = [...this.parts, index]
    if (this.#keyChanged) part.key = this.#key as Value
    part.value = value
    return part
  }
}

function within(part: string, decode: () => Value): Value {
  try {
    return decode()
  } catch (error) {
    if (error instanceof Unfit && error.path === undefined)
      throw new Unfit(error.reason, `${part}: ${error.message}`, part)
    throw error
  }
}
