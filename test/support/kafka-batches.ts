import type { Compression } from '../../bridge-runtime/connectors/kafka/protocol/compression.ts'
import { encodeBatch, sourcePrefix } from '../../bridge-runtime/connectors/kafka/protocol/record-encoder.ts'
import { stampBatch } from '../../bridge-runtime/connectors/kafka/protocol/record-batch.ts'
import { ToldBatches } from '../../bridge-runtime/connectors/kafka/read/damaged/told-batches.ts'
import { type FetchBytes, scan } from '../../bridge-runtime/connectors/kafka/read/scan.ts'

interface Shape {
  readonly offset: number
  readonly values: readonly string[]
  readonly producer?: bigint
  readonly kind?: 'transactional' | 'commit' | 'abort'
}

/** A batch of these values, as a broker stores it. */
export async function batch({ offset, values, producer = -1n, kind }: Shape): Promise<Buffer> {
  const key = kind === 'commit' ? Buffer.from([0, 0, 0, 1]) : kind === 'abort' ? Buffer.from([0, 0, 0, 0]) : null
  const records = values.map((value, position) => ({
    key,
    value: Buffer.from(value),
    headers: [],
    timestamp: 10,
    position,
  }))
  const bytes = await encodeBatch(records, sourcePrefix('o'), 'None')
  bytes.writeBigInt64BE(BigInt(offset), 0)
  if (kind !== undefined) bytes.writeInt16BE(kind === 'transactional' ? 0x10 : 0x30, 21)
  stampBatch(bytes, { producerId: producer, epoch: 0, sequence: 0 })
  return bytes
}

/** What a fetch is answered with. */
export const fetched = (bytes: Buffer, from: number, more: Partial<FetchBytes> = {}): FetchBytes => ({
  bytes,
  from,
  aligned: false,
  end: Number.POSITIVE_INFINITY,
  told: new ToldBatches(),
  aborted: [],
  maxMemory: 64 * 1024 * 1024,
  field: 'spec.source.kafka',
  ...more,
})

export const valuesOf = (scanned: ReturnType<typeof scan>): string[] =>
  scanned.batches.flatMap((one) => one.records().map(({ value }) => String(value)))

/** So many records of one kilobyte or so in one batch. */
export async function large(compression: Compression, count: number): Promise<Buffer> {
  const records = Array.from({ length: count }, (_, position) => ({
    key: null,
    value: Buffer.alloc(1_000, 'a'),
    headers: [],
    timestamp: 1,
    position,
  }))
  const bytes = await encodeBatch(records, sourcePrefix('o'), compression)
  stampBatch(bytes, { producerId: -1n, epoch: -1, sequence: -1 })
  return bytes
}
