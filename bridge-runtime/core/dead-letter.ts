import type { BridgeRecord, Header, SourceBatch } from './contracts.ts'
import type { BridgeError } from './errors.ts'

/** Headers of a dead letter: where the record came from and why it is here. Key, value and own headers are as they were. */
export const deadLetterHeaders = {
  origin: 'streambridge-dead-letter-origin',
  position: 'streambridge-dead-letter-position',
  reason: 'streambridge-dead-letter-reason',
  message: 'streambridge-dead-letter-message',
  attempts: 'streambridge-dead-letter-attempts',
} as const

const header = (name: string, value: string | number): Header => ({ name, value: Buffer.from(String(value)) })

export interface Failure {
  readonly error: BridgeError
  readonly attempts: number
}

export function deadLetter(record: BridgeRecord, origin: string, failure: Failure): BridgeRecord {
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
    ],
  }
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
