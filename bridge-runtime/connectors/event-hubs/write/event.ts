/** A record as an event. What an event has no place for travels as in attributes.ts. */
import type { BridgeRecord } from '../../../core/contracts.ts'
import { attributesOf, type AttributeLimits } from '../../fields/attributes.ts'
import { tellsKey, textOfKey } from '../../fields/text-key.ts'
import { encodedEvent } from '../amqp/encoding.ts'

/** The service takes no longer partition key. */
const fits = (text: string): boolean => text.length <= 128

/** Properties are texts of at most 32 KiB in the service's own clients; longer ones are cut up. */
const limits: AttributeLimits = {
  maxNameBytes: 1_024,
  maxValueBytes: 32_000,
  maxAttributes: Number.POSITIVE_INFINITY,
  reserved: () => false,
}

export interface OutgoingEvent {
  /** UTF-8 of the partition key; undefined: any partition will do. */
  readonly key: Buffer | undefined
  /** One event of a batch, ready to be joined with others. */
  readonly bytes: Buffer
}

const nothing = Buffer.alloc(0)

export function eventOf(record: BridgeRecord, origin: string): OutgoingEvent {
  const text = record.key === null ? undefined : textOfKey(record.key, fits)
  const properties = attributesOf(record, origin, text === undefined || tellsKey(text), limits)
  const key = text === undefined ? undefined : Buffer.from(text, 'utf8')
  return { key, bytes: encodedEvent(key, properties, record.value ?? nothing) }
}
