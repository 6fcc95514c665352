/** Recommendations over a stabilization window, as of a HorizontalPodAutoscaler: only a need that lasts changes anything. */

/** The fewest and the most replicas that were recommended within a bucket of time. */
export interface Recommendation {
  /** Milliseconds on the monotonic clock: the beginning of the bucket. */
  readonly at: number
  /** Infinity where the load was unknown: no reason for more replicas. */
  readonly low: number
  /** The present replicas where the load was unknown: no reason for fewer. */
  readonly high: number
}

type History = readonly Recommendation[]

/** Buckets per window: enough that their length (1 %) does not matter, few enough for a window of any length. */
const buckets = 100

/** Adds one and drops those older than the window, except the last of them, which shows that the window is covered. */
export function addRecommendation(history: History, next: Recommendation, window: number): History {
  const newest = history.at(-1)
  const merges = newest !== undefined && next.at - newest.at < window / buckets
  const all = merges
    ? [
        ...history.slice(0, -1),
        { at: newest.at, low: Math.min(newest.low, next.low), high: Math.max(newest.high, next.high) },
      ]
    : [...history, next]
  const covering = all.findLastIndex(({ at }) => at <= next.at - window)
  return all.slice(Math.max(0, covering))
}

/** Those of the window; none while it is not covered. */
export function withinWindow(history: History, now: number, window: number): History {
  const covering = history.findLastIndex(({ at }) => at <= now - window)
  return covering < 0 ? [] : history.slice(covering)
}

/** The fewest replicas recommended at any time in the window; undefined when it is not covered or no load was known. */
export function lowestRecommendation(history: History, now: number, window: number): number | undefined {
  const lowest = Math.min(...withinWindow(history, now, window).map(({ low }) => low))
  return Number.isFinite(lowest) ? lowest : undefined
}

/** The most replicas recommended at any time in the window; undefined when it is not covered. */
export function highestRecommendation(history: History, now: number, window: number): number | undefined {
  const covered = withinWindow(history, now, window)
  return covered.length === 0 ? undefined : Math.max(...covered.map(({ high }) => high))
}
