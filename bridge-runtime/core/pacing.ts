import { sliceOf, type Slice, wholeSlice } from './cargo.ts'
import type { RateLimit } from './rate-limit.ts'
import type { Tracked } from './watermark.ts'

/** Yields a batch in slices as the rate lets them go, in order: whole where there is no limit. Ends early when the signal aborts. */
export async function* released(tracked: Tracked, rateLimit: RateLimit, signal: AbortSignal): AsyncGenerator<Slice> {
  const { count } = tracked.batch
  for (let from = 0; from < count; ) {
    const given = await rateLimit.take(count - from, signal)
    if (signal.aborted) return
    yield given === count ? wholeSlice(tracked) : sliceOf(tracked, range(from, given))
    from += given
  }
}

const range = (from: number, count: number): readonly number[] => Array.from({ length: count }, (_, at) => from + at)
