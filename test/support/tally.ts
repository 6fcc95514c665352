/**
 * What became of the records of one run: the one judge of every test that moves data.
 *
 * Records are counted by (key, sequence). Order is judged by first occurrences: after a crash a source may repeat n..m
 * behind m, which is a duplicate, not a reordering; it is shown as a regression.
 */

export interface Tally {
  /** Records that should have arrived. */
  readonly sent: number
  /** Different records that did. */
  readonly received: number
  readonly lost: number
  /** Arrivals beyond the first of each record. */
  readonly duplicated: number
  /** Records whose first arrival came behind the first arrival of a later one of their key. */
  readonly reordered: number
  /** Arrivals that are not what was sent: a wrong checksum, key or number. */
  readonly corrupt: number
  /** Arrivals behind a later one of their key, repetitions included. */
  readonly regressions: number
  /** Up to ten of what is wrong, in words. */
  readonly samples: readonly string[]
}

/** What every judge tells, and all that is demanded. */
export type Verdict = Omit<Tally, 'regressions'>

interface KeyState {
  seen: Uint8Array
  count: number
  highest: number
  previous: number
}

const sampleLimit = 10

export class Counter {
  readonly #keys = new Map<string, KeyState>()
  readonly #samples: string[] = []
  #duplicated = 0
  #reordered = 0
  #corrupt = 0
  #regressions = 0

  /** A record arrived. Call it in the order of the sink's partition. */
  arrived(key: string, sequence: number): void {
    const state = this.#state(key, sequence)
    if (sequence < state.previous) this.#regressions++
    state.previous = sequence
    if (state.seen[sequence] === 1) {
      this.#duplicated++
      return
    }
    state.seen[sequence] = 1
    state.count++
    if (sequence > state.highest) state.highest = sequence
    else {
      this.#reordered++
      this.#sample(`reordered: ${key}#${sequence} came after ${key}#${state.highest}`)
    }
  }

  /** Something arrived that nobody sent so. */
  corrupt(what: string): void {
    this.#corrupt++
    this.#sample(`corrupt: ${what}`)
  }

  /** Different records that arrived so far. */
  get received(): number {
    let received = 0
    for (const state of this.#keys.values()) received += state.count
    return received
  }

  /** Counts against what was sent: of each key the sequences 0 to n - 1. */
  tally(sent: ReadonlyMap<string, number>): Tally {
    const samples = [...this.#samples]
    let expected = 0
    let received = 0
    let unknown = 0
    for (const [key, count] of sent) {
      expected += count
      const state = this.#keys.get(key)
      const arrived = state === undefined ? 0 : countOnes(state.seen, count)
      received += arrived
      if (arrived < count && samples.length < sampleLimit) samples.push(`lost: ${key}#${firstGap(state?.seen)} and on`)
      unknown += (state?.count ?? 0) - arrived
    }
    for (const [key, state] of this.#keys) if (!sent.has(key)) unknown += state.count
    if (unknown > 0) samples.push(`corrupt: ${unknown} records that were never sent`)
    return {
      sent: expected,
      received,
      lost: expected - received,
      duplicated: this.#duplicated,
      reordered: this.#reordered,
      corrupt: this.#corrupt + unknown,
      regressions: this.#regressions,
      samples,
    }
  }

  #state(key: string, sequence: number): KeyState {
    let state = this.#keys.get(key)
    if (state === undefined) {
      state = { seen: new Uint8Array(1024), count: 0, highest: -1, previous: -1 }
      this.#keys.set(key, state)
    }
    if (sequence >= state.seen.length) {
      const grown = new Uint8Array(Math.max(sequence + 1, state.seen.length * 2))
      grown.set(state.seen)
      state.seen = grown
    }
    return state
  }

  #sample(text: string): void {
    if (this.#samples.length < sampleLimit) this.#samples.push(text)
  }
}

const countOnes = (seen: Uint8Array, count: number): number => {
  let ones = 0
  for (let index = 0; index < count; index++) ones += seen[index] ?? 0
  return ones
}

const firstGap = (seen: Uint8Array | undefined): number => {
  const gap = seen?.indexOf(0) ?? 0
  return gap < 0 ? (seen?.length ?? 0) : gap
}

/** The tally in one line. `bound` is the most duplicates the test allows. */
export function tallyLine(tally: Verdict, bound?: number): string {
  const allowed = bound === undefined ? '' : ` (bound ${bound})`
  return `moved ${tally.received}, lost ${tally.lost}, duplicated ${tally.duplicated}${allowed}, reordered ${tally.reordered}, corrupt ${tally.corrupt}`
}

/** Nothing lost, reordered or corrupt, and duplicates within the bound. Throws with the line and the samples otherwise. */
export function assertWhole(tally: Verdict, maxDuplicates: number): void {
  const broken = tally.lost + tally.reordered + tally.corrupt > 0 || tally.duplicated > maxDuplicates
  if (broken) throw new Error([tallyLine(tally, maxDuplicates), ...tally.samples].join('\n  '))
}

export interface DuplicateWindow {
  /** Times a process was killed. */
  readonly kills: number
  /** Most records per second that flowed through the killed process. */
  readonly recordsPerSecond: number
  /** Milliseconds between two commits, the time of one commit included. */
  readonly commitInterval: number
  /** Most records delivered or on their way that no commit covers yet, beside those of the interval. */
  readonly inFlight: number
}

/** Most duplicates that kills can cause: what was delivered since the last commit, at each kill. */
export const duplicateBound = ({ kills, recordsPerSecond, commitInterval, inFlight }: DuplicateWindow): number =>
  kills * Math.ceil((recordsPerSecond * commitInterval) / 1000 + inFlight)
