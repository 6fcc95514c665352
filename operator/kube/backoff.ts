/**
 * Waits between repetitions of the same key. At least half of each wait is certain, so that a key that fails at once never
 * comes back at once. The runtime's own law (`core/backoff.ts`) has no such floor: there every replica waits for the same
 * broker, and what counts is that they come apart.
 */
export interface Backoff {
  /** Milliseconds before the first repetition. */
  readonly initial: number
  /** Milliseconds, the longest wait. */
  readonly max: number
  /** A number in [0, 1): half of each wait is random, so that keys that fail together do not return together. */
  readonly random: () => number
}

/** Milliseconds to wait after so many failures in a row: doubling, bounded, at least half of it certain. */
export function backoffDelay({ initial, max, random }: Backoff, failures: number): number {
  const ceiling = Math.min(max, initial * 2 ** Math.min(failures - 1, 30))
  return ceiling / 2 + (ceiling / 2) * random()
}
