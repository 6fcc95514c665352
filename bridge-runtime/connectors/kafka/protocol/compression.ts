/**
 * The four codecs of Kafka's record batches. Compressing runs off the event loop where Node offers that. Snappy is
 * written as one raw block, which Java's and librdkafka's readers accept beside their own framing.
 */
import { promisify } from 'node:util'
import { gunzipSync, gzip, zstdCompress, zstdDecompressSync } from 'node:zlib'
import { compressionsAlgorithms } from '@platformatic/kafka'
import type { KafkaSinkConfig } from '../schema.ts'

export type Compression = KafkaSinkConfig['compression']

/** The codec's number in a batch's attributes. */
export const codecNumbers: Readonly<Record<Compression, number>> = { None: 0, Gzip: 1, Snappy: 2, LZ4: 3, Zstd: 4 }

const gzipAsync = promisify(gzip)
const zstdAsync = promisify(zstdCompress)

const compressors: Readonly<Record<Compression, (bytes: Buffer) => Buffer | Promise<Buffer>>> = {
  None: (bytes) => bytes,
  // Level 1: a bridge is bound by its CPU, and the next levels cost twice the time for a few percent.
  Gzip: (bytes) => gzipAsync(bytes, { level: 1 }),
  Snappy: (bytes) => compressionsAlgorithms.snappy.compressSync(bytes),
  LZ4: (bytes) => compressionsAlgorithms.lz4.compressSync(bytes),
  Zstd: (bytes) => zstdAsync(bytes),
}

export const compress = async (compression: Compression, bytes: Buffer): Promise<Buffer> =>
  compressors[compression](bytes)

const { snappy, lz4 } = compressionsAlgorithms

/** In one piece: many small ones are copied into one at the end, and take twice the memory. */
const outputOf = (size: number): { readonly maxOutputLength: number; readonly chunkSize: number } => ({
  maxOutputLength: Math.max(1, size),
  chunkSize: Math.max(16 * 1024, size + 1),
})

const decompressors: readonly ((bytes: Buffer, size: number) => Buffer)[] = [
  (bytes) => bytes,
  (bytes, size) => gunzipSync(bytes, outputOf(size)),
  (bytes) => snappy.decompressSync(bytes),
  (bytes) => lz4.decompressSync(bytes),
  (bytes, size) => zstdDecompressSync(bytes, outputOf(size)),
]

/**
 * `size` is what `decodedSize` says of the same bytes: no more is allocated. Throws a RangeError where the bytes are
 * broken, or give more.
 */
export function decompress(codec: number, bytes: Buffer, size: number): Buffer {
  let result: Buffer | undefined
  try {
    result = decompressors[codec]?.(bytes, size)
  } catch (cause) {
    throw new RangeError(`the ${codecName(codec)} data is broken`, { cause })
  }
  if (result === undefined) throw new RangeError(`unknown compression codec ${codec}`)
  if (result.length > size) throw new RangeError(`the ${codecName(codec)} data gives more than it says`)
  return result
}

const codecName = (codec: number): string => ['plain', 'gzip', 'snappy', 'lz4', 'zstd'][codec] ?? `codec ${codec}`
