import type { Clock } from '../clock.ts'
import type { AppendSink, Sink } from '../contracts.ts'

/** A sink that tells how many milliseconds each write (or append) took. */
export const timed = (
  sink: Sink | AppendSink,
  clock: Clock,
  onWrite: (milliseconds: number) => void,
): Sink | AppendSink => {
  const measured = async <T>(write: () => Promise<T>): Promise<T> => {
    const before = clock.monotonic()
    const result = await write()
    onWrite(clock.monotonic() - before)
    return result
  }
  const common = {
    limits: sink.limits,
    open: (signal: AbortSignal) => sink.open(signal),
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
  }
  return 'append' in sink
    ? {
        ...common,
        append: (batch, signal) => measured(() => sink.append(batch, signal)),
        flush: (partition, deadline) => sink.flush(partition, deadline),
      }
    : { ...common, write: (batch, signal, stored) => measured(() => sink.write(batch, signal, stored)) }
}
