import type { BridgeRecord, SinkBatch } from '../../bridge-runtime/core/contracts.ts'
import { recordBytes } from '../../bridge-runtime/core/delivery/write-batch.ts'

const plain: BridgeRecord = { key: null, value: null, headers: [], timestamp: 0, position: 0 }

export interface BatchOrigin {
  /** `${kind}/${stream}`. */
  readonly stream?: string
  readonly partition?: string | undefined
  /** Position of the first record that has none of its own. */
  readonly position?: number
}

/** A batch as the engine hands it to a sink. Records without a position are numbered. */
export function sinkBatch(records: readonly Partial<BridgeRecord>[], origin: BatchOrigin = {}): SinkBatch {
  const { stream = 'test/stream', partition = 'p0', position = 0 } = origin
  const whole = records.map((record, index) => ({ ...plain, position: position + index, ...record }))
  return {
    origin: `${stream}/${partition}`,
    partition,
    stream: stream.slice(stream.indexOf('/') + 1),
    epoch: 1,
    count: whole.length,
    bytes: whole.reduce((sum, record) => sum + recordBytes(record), 0),
    first: whole[0]?.position ?? position,
    last: whole.at(-1)?.position ?? position,
    records: () => whole,
  }
}
