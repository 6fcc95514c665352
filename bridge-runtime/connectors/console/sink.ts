import type { Sink } from '../../core/contracts.ts'
import { jsonLines } from '../fields/json-line.ts'

/** Prints to standard output. A write is done when the stream has taken it, so a slow reader slows the bridge down. */
export function openConsoleSink(output: NodeJS.WritableStream = process.stdout): Promise<Sink> {
  return Promise.resolve({
    limits: { maxRecords: 1000, maxBytes: 1024 * 1024 },
    open: () => Promise.resolve(),
    write: (batch) =>
      new Promise((resolve, reject) => {
        const { text, result } = jsonLines(batch)
        output.write(text, (error) => (error ? reject(error) : resolve(result)))
      }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  })
}
