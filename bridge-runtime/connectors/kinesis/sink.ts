import { bytes } from '../../../crds/schema/common.ts'
import type { BridgeRecord, Sink, SinkBatch, Stored, WriteResult } from '../../core/contracts.ts'
import { heldBack } from '../../core/delivery.ts'
import { BridgeError } from '../../core/errors.ts'
import type { ConnectorContext } from '../define-connector.ts'
import { connect, type KinesisApi } from './connection.ts'
import { partitionKey } from './partition-key.ts'
import { PutRecordsSender } from './put-records.ts'
import type { KinesisSinkConfig } from './schema.ts'

/** Opens a stream for writing. The connection is made by `open` of the sink. */
export const openKinesisSink = async (config: KinesisSinkConfig, context: ConnectorContext): Promise<Sink> =>
  kinesisSink(connect(config, context), config, context)

const aborted = (): BridgeError =>
  new BridgeError('the write was given up; it is not known which records were stored', {
    kind: 'retryable',
    reason: 'Aborted',
  })

export function kinesisSink(
  api: KinesisApi,
  { limits, ordering }: Pick<KinesisSinkConfig, 'limits' | 'ordering'>,
  { clock }: Pick<ConnectorContext, 'clock'>,
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
      `a record of ${size} bytes (key included) is larger than limits.maxRecordBytes (${maxRecordBytes})`,
      poison('RecordTooLarge'),
    )
  }

  const write = (batch: SinkBatch, signal: AbortSignal, stored?: Stored): Promise<WriteResult> =>
    new Promise((resolve) => {
      const records = batch.records()
      const failures = new Map<number, BridgeError>()
      const open = new Set(records.keys())
      const finish = (): void => {
        signal.removeEventListener('abort', abandon)
        resolve(failures)
      }
      const abandon = (): void => {
        for (const index of open) failures.set(index, aborted())
        open.clear()
        finish()
      }
      let reported: number[] = []
      // What one request stored is reported together.
      const report = (index: number): void => {
        if (reported.push(index) > 1) return
        queueMicrotask(() => {
          if (open.size > 0) stored?.(reported)
          reported = []
        })
      }
      const settle = (index: number, failure: BridgeError | undefined): void => {
        if (!open.delete(index)) return
        if (failure === undefined) report(index)
        else failures.set(index, failure)
        if (open.size === 0) finish()
      }
      if (signal.aborted) return abandon()
      signal.addEventListener('abort', abandon, { once: true })
      const refusedKeys = new Set<string>()
      records.forEach((record, index) => {
        const key = partitionKey(record, batch.origin)
        const size = Buffer.byteLength(key) + (record.value?.length ?? 0)
        const refused = refusal(record, size)
        // What follows a refused record of its key is held back as well: the refused one may yet be dead-lettered first.
        if (refused !== undefined) refusedKeys.add(key)
        if (refused !== undefined || record.value === null) return settle(index, refused)
        if (refusedKeys.has(key)) return settle(index, heldBack)
        sender.add({
          key,
          data: record.value,
          bytes: size,
          done: (failure) => settle(index, failure),
          abandoned: () => !open.has(index),
        })
      })
    })

  return {
    limits: { maxRecords: limits.maxRecords, maxBytes },
    async open(signal) {
      const status = await api.status(signal)
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

const poison = (reason: string): { readonly kind: 'poison'; readonly reason: string } => ({ kind: 'poison', reason })
