/** Time, passed in so that tests own it. */
export interface Clock {
  /** Milliseconds since the epoch, for people and records. Never compare it with another machine's. */
  now(): number
  /** Milliseconds on a clock that never jumps, for durations, expiry and deadlines. */
  monotonic(): number
  /** Resolves after the time, or at once when the signal aborts. Never rejects. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>
}

export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (milliseconds, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve()
      const done = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, milliseconds)
      signal?.addEventListener('abort', done, { once: true })
    }),
}
