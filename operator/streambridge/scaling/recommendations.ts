/** What was wanted over time, so that only a need that lasts changes anything. */

/** A stretch of time and the extremes wanted in it. */
export interface Wish {
  /** Milliseconds on the monotonic clock, its beginning. */
  readonly at: number
  /** Fewest replicas wanted. Infinity where nothing was known: it then says nothing for more replicas. */
  readonly low: number
  /** Most replicas wanted, or the present ones where nothing was known: it then speaks against fewer. */
  readonly high: number
}

/** Stretches kept per window: enough that their length (1 %) does not matter, and memory stays small for any window. */
const stretches = 100

/** Adds a wish and forgets what is older than the window, except the last before it, which proves that the window is covered. */
export function remember(wishes: readonly Wish[], wish: Wish, window: number): readonly Wish[] {
  const newest = wishes.at(-1)
  const merges = newest !== undefined && wish.at - newest.at < window / stretches
  const all = merges
    ? [
        ...wishes.slice(0, -1),
        { at: newest.at, low: Math.min(newest.low, wish.low), high: Math.max(newest.high, wish.high) },
      ]
    : [...wishes, wish]
  const covering = all.findLastIndex(({ at }) => at <= wish.at - window)
  return all.slice(Math.max(0, covering))
}

/** The wishes of the window; none when it is not covered yet. */
export function held(wishes: readonly Wish[], now: number, window: number): readonly Wish[] {
  const covering = wishes.findLastIndex(({ at }) => at <= now - window)
  return covering < 0 ? [] : wishes.slice(covering)
}

/** Replicas that were wanted all through the window at least; undefined when it is not covered or nothing was known. */
export function lowest(wishes: readonly Wish[], now: number, window: number): number | undefined {
  const low = Math.min(...held(wishes, now, window).map((wish) => wish.low))
  return Number.isFinite(low) ? low : undefined
}

/** The most replicas that were wanted in the window; undefined when it is not covered. */
export function highest(wishes: readonly Wish[], now: number, window: number): number | undefined {
  const covered = held(wishes, now, window)
  return covered.length === 0 ? undefined : Math.max(...covered.map((wish) => wish.high))
}
