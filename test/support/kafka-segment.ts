/** Flips bits on a broker's disk, under the broker. */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { KafkaServer } from './kafka.ts'

/** A record batch in its file. */
export interface StoredBatch {
  readonly file: string
  readonly start: number
  readonly bytes: Buffer
}

/** The batches of a partition whose first file holds all of it. */
export function storedBatches(server: KafkaServer, topic: string, partition: number): StoredBatch[] {
  const file = join(dirname(server.logFile), 'data', `${topic}-${partition}`, '00000000000000000000.log')
  const all = readFileSync(file)
  const found: StoredBatch[] = []
  for (let start = 0; start + 12 <= all.length; ) {
    const size = 12 + all.readInt32BE(start + 8)
    if (size === 12) break
    found.push({ file, start, bytes: all.subarray(start, start + size) })
    start += size
  }
  return found
}

/** Bit 0 is the lowest of the first byte. Returns the batch as it is now. */
export function flipBit({ file, start, bytes }: StoredBatch, bit: number): Buffer {
  const damaged = Buffer.from(bytes)
  const byte = bit >> 3
  damaged[byte] = (damaged[byte] ?? 0) ^ (1 << (bit & 7))
  const handle = openSync(file, 'r+')
  writeSync(handle, damaged, 0, damaged.length, start)
  closeSync(handle)
  return damaged
}
