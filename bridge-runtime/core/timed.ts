import type { Clock } from './clock.ts'
import type { Sink } from './contracts.ts'

/** A sink that tells how many milliseconds each write took, and its records. */
export const timed = (sink: Sink, clock: Clock, onWrite: (milliseconds: number, records: number) => void): Sink => ({
  limits: sink.limits,
  open: (signal) => sink.open(signal),
  async write(batch, signal, stored) {
    const before = clock.monotonic()
    const result = await sink.write(batch, signal, stored)
    onWrite(clock.monotonic() - before, batch.count)
    return result
  },
  [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
})
