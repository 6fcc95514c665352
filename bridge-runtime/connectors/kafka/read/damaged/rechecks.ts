/** How often the answers for one position were no good. It is forgotten when the position moves. */
import type { BridgeError } from '../../../../core/errors.ts'

/** Times that what seems damaged is fetched: on the way it is damaged once, on a disk always. */
const looks = 3

export class Rechecks {
  #position = -1
  #times = 0
  #damaged = false
  #searched = false
  #told: BridgeError | undefined

  /** Once more. True when that is often enough. */
  again(position: number): boolean {
    this.#at(position)
    this.#times += 1
    return this.#times >= looks
  }

  /** Whether to search the log now: less and less often, as nothing may be wrong, or nothing to be found yet. */
  get due(): boolean {
    const more = this.#times - looks + 1
    return more > 0 && (more & (more - 1)) === 0
  }

  /** A damaged batch was in an answer, here. */
  sawDamage(position: number): void {
    this.#at(position)
    this.#damaged = true
  }

  /** Whether one was, and the log was not searched for it. */
  hasDamage(position: number): boolean {
    return this.#position === position && this.#damaged
  }

  /** The log was searched here. @param told what that said */
  searched(told?: BridgeError): void {
    this.#damaged = false
    this.#searched = true
    this.#told = told
  }

  hasSearched(position: number): boolean {
    return this.#position === position && this.#searched
  }

  /** What is known to be wrong here. */
  get told(): BridgeError | undefined {
    return this.#told
  }

  #at(position: number): void {
    if (this.#position === position) return
    this.#position = position
    this.#times = 0
    this.#damaged = false
    this.#searched = false
    this.#told = undefined
  }
}
