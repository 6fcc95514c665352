import type { BridgeRecord, Header, SinkLimits, SourceBatch } from '../contracts.ts'
import type { BridgeError } from '../errors.ts'

/** Headers of a dead-letter record: where the record came from and why it is here. Key, value and own headers are as they were. */
export const deadLetterHeaders = {
  origin: 'streambridge-dead-letter-origin',
  position: 'streambridge-dead-letter-position',
  reason: 'streambridge-dead-letter-reason',
  message: 'streambridge-dead-letter-message',
  attempts: 'streambridge-dead-letter-attempts',
  step: 'streambridge-dead-letter-step',
  path: 'streambridge-dead-letter-path',
} as const

const header = (name: string, value: string | number): Header => ({ name, value: Buffer.from(String(value)) })

export interface Failure {
  readonly error: BridgeError
  readonly attempts: number
}

export function deadLetterRecord(record: BridgeRecord, origin: string, failure: Failure): BridgeRecord {
  const { step, path } = failure.error.place ?? {}
  return {
    key: record.key,
    value: record.value,
    timestamp: record.timestamp,
    position: record.position,
    headers: [
      ...record.headers,
      header(deadLetterHeaders.origin, origin),
      header(deadLetterHeaders.position, record.position),
      header(deadLetterHeaders.reason, failure.error.reason),
      header(deadLetterHeaders.message, failure.error.message),
      header(deadLetterHeaders.attempts, failure.attempts),
      ...(step === undefined ? [] : [header(deadLetterHeaders.step, step)]),
      ...(path === undefined ? [] : [header(deadLetterHeaders.path, path)]),
    ],
  }
}

/** Bytes that the headers of a dead-letter record take, about, beside its message. */
const headerBytes = 600

/** What a person should know before the first record is refused for its size; undefined when there is nothing to say. */
export function tooSmallForDeadLetters(sink: SinkLimits, deadLetters: SinkLimits): string | undefined {
  if (sink.largestRecord === undefined || deadLetters.largestRecord === undefined) return undefined
  if (deadLetters.largestRecord > sink.largestRecord + headerBytes) return undefined
  return `the dead-letter sink takes records of ${deadLetters.largestRecord} bytes, the sink of ${sink.largestRecord}: what is too large for the sink may be too large for it as well, and the partition will stop there`
}

/** A batch made of records that are there already. */
export function batchOf(records: readonly BridgeRecord[], bytes: number): SourceBatch {
  const first = records[0]
  const last = records.at(-1)
  if (first === undefined || last === undefined) throw new TypeError('a batch is never empty')
  return {
    count: records.length,
    bytes,
    first: first.position,
    last: last.position,
    lastTimestamp: last.timestamp,
    records: () => records,
  }
}
