export interface BackoffSettings {
  /** Milliseconds: the longest first wait. */
  readonly initial: number
  /** Milliseconds: the longest wait. */
  readonly max: number
}

/**
 * Exponential backoff with full jitter: a uniform random wait between 1 ms and min(max, initial · 2^attempt).
 * Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 *
 * @param attempt 0 for the first repetition
 * @param random in [0, 1)
 * @returns milliseconds
 */
export function backoff(settings: BackoffSettings, attempt: number, random: () => number): number {
  const ceiling = Math.min(settings.max, settings.initial * 2 ** Math.min(attempt, 30))
  return 1 + random() * Math.max(0, ceiling - 1)
}
