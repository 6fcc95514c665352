/** How far a partition is behind, from what the last fetches and commits said: no I/O. */
import type { Lag } from '../../../core/contracts.ts'

interface HandedOut {
  readonly last: number
  readonly timestamp: number
}

export class LagMeter {
  /** Where the partition ends: the high watermark, also while an open transaction keeps us from reading to it. */
  #end: number | undefined
  #settled: number
  #handedOut: HandedOut[] = []

  /** `settled`: the offset behind the last settled record. */
  constructor(settled: number) {
    this.#settled = settled
  }

  /** The next offset that the partition will get. */
  endIs(offset: number): void {
    this.#end = offset
  }

  handedOut(last: number, timestamp: number): void {
    this.#handedOut.push({ last, timestamp })
  }

  settledTo(offset: number): void {
    this.#settled = offset
    const open = this.#handedOut.findIndex(({ last }) => last >= offset)
    this.#handedOut = open < 0 ? [] : this.#handedOut.slice(open)
  }

  /**
   * Seconds are the age of the oldest batch that was read and is not settled: records that were not read yet have a time
   * we do not know, so without such a batch there are no seconds, unless nothing is behind. Nor has what cannot be read a
   * time (0): the next one counts.
   */
  lag(now: number): Lag {
    if (this.#end === undefined) return { kind: 'unknown', reason: 'the end of the partition is not known yet' }
    const records = Math.max(0, this.#end - this.#settled)
    if (records === 0) return { kind: 'known', records, seconds: 0 }
    const oldest = this.#handedOut.find(({ timestamp }) => timestamp > 0)
    if (oldest === undefined) return { kind: 'known', records }
    return { kind: 'known', records, seconds: Math.max(0, now - oldest.timestamp) / 1000 }
  }
}
