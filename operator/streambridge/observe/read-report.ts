/** Requests a replica's report over HTTP. */
import type { ReadReport } from './ask-replica.ts'

/** Milliseconds for the whole answer. */
const deadline = 2_000
/** Bytes; a report of some ten thousand partitions. A pod that answers more is not ours to trust. */
const longest = 8 * 1024 * 1024

export const readReport: ReadReport = async (url) => {
  const signal = AbortSignal.timeout(deadline)
  const response = await fetch(url, { signal, redirect: 'error' })
  if (!response.ok || response.body === null) throw new Error(`${url} answered ${response.status}`)
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body) {
    size += part.byteLength
    if (size > longest) throw new Error(`${url} answered more than ${longest} bytes`)
    parts.push(part)
  }
  return JSON.parse(Buffer.concat(parts).toString()) as unknown
}
