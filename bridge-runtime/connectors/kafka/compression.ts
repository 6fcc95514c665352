/**
 * The four codecs of Kafka's record batches. Compressing runs off the event loop where Node offers that. Snappy is
 * written as one raw block, which Java's and librdkafka's readers accept beside their own framing.
 */
import { promisify } from 'node:util'
import { gzip, zstdCompress } from 'node:zlib'
import { compressionsAlgorithms } from '@platformatic/kafka'
import type { KafkaSinkConfig } from './schema.ts'

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

const { none, gzip: gunzip, snappy, lz4, zstd } = compressionsAlgorithms
const decompressors = [none, gunzip, snappy, lz4, zstd]

/** Throws a RangeError for a codec that Kafka does not define. */
export function decompress(codec: number, bytes: Buffer): Buffer {
  const decompressor = decompressors[codec]
  if (decompressor === undefined) throw new RangeError(`unknown compression codec ${codec}`)
  return decompressor.decompressSync(bytes)
}
