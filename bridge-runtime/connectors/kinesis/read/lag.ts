import type { Lag, Position } from '../../../core/contracts.ts'

/** True when sequence number `a` is after `b`: decimal numbers of any length without leading zeros. */
export const isAfter = (a: string, b: string): boolean => (a.length === b.length ? a > b : a.length > b.length)

interface Milestone {
  readonly last: string
  /** Milliseconds since the epoch, on the service's clock; undefined where the service does not say. */
  readonly arrived: number | undefined
}

/**
 * How far behind a shard is, in seconds: from the newest committed record to the shard's end. All differences are taken
 * on one clock each, the service's or our monotonic one, so a wrong clock does not show as lag.
 */
export class ShardLag {
  /** Last records of pages that are not committed yet, oldest first. */
  readonly #uncommitted: Milestone[] = []
  #committedArrival: number | undefined
  #read: { readonly at: number; readonly behind: number; readonly arrived: number | undefined } | undefined

  readonly #staleAfter: number

  /** @param interval milliseconds between two reads of a shard that is caught up and asked all the time */
  constructor(interval: number) {
    this.#staleAfter = 2 * interval + 1_000
  }

  /** @param at monotonic milliseconds of the read */
  read(
    at: number,
    millisecondsBehind: number,
    page: (Milestone & { readonly firstArrived: number | undefined }) | undefined,
  ): void {
    if (page !== undefined) {
      this.#uncommitted.push(page)
      this.#committedArrival ??= page.firstArrived
    }
    this.#read = { at, behind: millisecondsBehind, arrived: page?.arrived ?? this.#read?.arrived }
  }

  committed(position: Position | undefined): void {
    if (position === undefined) return
    for (let next = this.#uncommitted[0]; next !== undefined; next = this.#uncommitted[0]) {
      if (isAfter(next.last, String(position))) return
      this.#committedArrival = next.arrived ?? this.#committedArrival
      this.#uncommitted.shift()
    }
  }

  /** @param now monotonic milliseconds */
  at(now: number): Lag {
    if (this.#read === undefined) return { kind: 'unknown', reason: 'the shard was not read yet' }
    const { at, behind, arrived } = this.#read
    // A shard that is not asked, for a rate limit or a sink that is full, falls behind unseen.
    const asked = now - at <= this.#staleAfter
    if (this.#uncommitted.length === 0 && behind === 0 && asked) return { kind: 'known', seconds: 0 }
    const unsettled =
      this.#uncommitted.length === 0 || arrived === undefined ? 0 : arrived - (this.#committedArrival ?? arrived)
    return { kind: 'known', seconds: (behind + Math.max(0, unsettled) + (now - at)) / 1000 }
  }
}
