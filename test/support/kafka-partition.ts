/** One partition as a broker reads it from its file, without an index: by the headers of batches, which it takes for true. */
import type { FetchedPartition } from '../../bridge-runtime/connectors/kafka/protocol/wire.ts'

export interface PartitionFile {
  readonly bytes: Buffer
  /** The high watermark. */
  readonly end: number
  /** As many bytes an answer has at most, but for its first batch. */
  readonly maxBytes?: number
}

const [none, corrupt] = [0, 2]
const smallestBatch = 14

/** The answer to a fetch: from the first batch on whose last offset is not before what is asked for. */
export function fetchFrom({ bytes, end, maxBytes = 2 ** 20 }: PartitionFile, offset: number): FetchedPartition {
  const answer = (errorCode: number, batches = Buffer.alloc(0)): FetchedPartition => ({
    topic: 'orders',
    partition: 0,
    errorCode,
    highWatermark: errorCode === none ? end : -1,
    lastStableOffset: errorCode === none ? end : -1,
    logStartOffset: 0,
    aborted: [],
    batches,
  })
  for (let at = 0; at + 17 <= bytes.length; ) {
    const size = bytes.readInt32BE(at + 8)
    if (size < smallestBatch) return answer(corrupt)
    const next = at + 12 + size
    // It takes a batch that does not end for the end of the file.
    if (next > bytes.length) return answer(none)
    const last = bytes.readBigInt64BE(at) + BigInt(bytes.readInt32BE(at + 23))
    if (last >= BigInt(offset)) return answer(none, Buffer.from(bytes.subarray(at, Math.max(next, at + maxBytes))))
    at = next
  }
  return answer(none)
}
