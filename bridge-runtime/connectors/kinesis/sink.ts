import { bytes } from '../../../crds/kit/units.ts'
import type { KinesisReason } from '../../../crds/kit/reasons/kinesis.ts'
import type { BridgeRecord, Sink, SinkBatch, PartialAcknowledgement, WriteResult } from '../../core/contracts.ts'
import { heldBack } from '../../core/delivery/held-back.ts'
import { BridgeError } from '../../core/errors.ts'
import type { ConnectorContext } from '../define-connector.ts'
import { writing } from '../requests/write-outcome.ts'
import { connect, type KinesisApi } from './connection.ts'
import { partitionKey } from './write/partition-key.ts'
import { type Entry, PutRecordsSender } from './write/put-records.ts'
import type { KinesisSinkConfig } from './schema.ts'

/** Opens a stream for writing. The connection is made by `open` of the sink. */
export const openKinesisSink = async (config: KinesisSinkConfig, context: ConnectorContext): Promise<Sink> =>
  kinesisSink(connect(config, context), config, context)

export function kinesisSink(
  api: KinesisApi,
  { limits, ordering }: Pick<KinesisSinkConfig, 'limits' | 'ordering'>,
  { clock, field }: Pick<ConnectorContext, 'clock' | 'field'>,
): Sink {
  const maxRecordBytes = bytes(limits.maxRecordBytes)
  const maxBytes = bytes(limits.maxRequestBytes)
  const sender = new PutRecordsSender({
    put: (entries) => api.put(entries),
    strict: ordering === 'Strict',
    maxRecords: limits.maxRecords,
    maxBytes,
    clock,
  })

  /** A record the service would refuse, without asking it. */
  const refusal = (record: BridgeRecord, size: number): BridgeError | undefined => {
    if (record.value === null)
      return new BridgeError('Kinesis cannot hold a record without a value (a tombstone)', poison('NullValue'))
    if (size <= maxRecordBytes) return undefined
    return new BridgeError(
      `a record of ${size} bytes (key included) is larger than ${field}.limits.maxRecordBytes (${maxRecordBytes}): raise it together with the stream's own limit`,
      poison('RecordTooLarge'),
    )
  }

  const write = (batch: SinkBatch, signal: AbortSignal, stored?: PartialAcknowledgement): Promise<WriteResult> =>
    writing({ count: batch.count, signal, stored }, ({ settle, isOpen }) => {
      const refusedKeys = new Set<string>()
      const entries: Entry[] = []
      batch.records().forEach((record, index) => {
        const key = partitionKey(record, batch.origin)
        const size = Buffer.byteLength(key) + (record.value?.length ?? 0)
        const refused = refusal(record, size)
        // What follows a refused record of its key is held back as well: the refused one may yet be dead-lettered first.
        if (refused !== undefined) refusedKeys.add(key)
        if (refused !== undefined || record.value === null) return settle(index, refused)
        if (refusedKeys.has(key)) return settle(index, heldBack)
        entries.push({
          key,
          data: record.value,
          bytes: size,
          done: (failure) => settle(index, failure),
          abandoned: () => !isOpen(index),
        })
      })
      // Only now: what throws above has sent nothing, and the engine writes all of it again.
      for (const entry of entries) sender.add(entry)
    })

  return {
    limits: { maxRecords: limits.maxRecords, maxBytes, largestRecord: maxRecordBytes },
    async open(signal) {
      const { status } = await api.describe(signal)
      if (status === 'ACTIVE' || status === 'UPDATING') return
      throw new BridgeError(`stream ${api.stream} is ${status}; it must be ACTIVE`, {
        kind: 'retryable',
        reason: 'StreamNotActive',
      })
    },
    write,
    async [Symbol.asyncDispose]() {
      api.close()
    },
  }
}

const poison = (reason: KinesisReason): { readonly kind: 'poison'; readonly reason: KinesisReason } => ({
  kind: 'poison',
  reason,
})
