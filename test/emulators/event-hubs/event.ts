/** Events: taken out of what a sender sent, and written for a reader with the service's annotations. */
import {
  binaryAt,
  type EncodedEntries,
  encodeLong,
  encodeSymbol,
  encodeText,
  encodeTimestamp,
  mapEntries,
  mapSection,
  NotAmqp,
  section,
  type Section,
  sectionsOf,
  textAt,
} from './encoded.ts'

const names = {
  sequenceNumber: 'x-opt-sequence-number',
  offset: 'x-opt-offset',
  enqueuedTime: 'x-opt-enqueued-time',
  partitionKey: 'x-opt-partition-key',
} as const

/** What the service writes itself; a sender's own are dropped. */
const reserved: ReadonlySet<string | undefined> = new Set(Object.values(names))

const keys = {
  sequenceNumber: encodeSymbol(names.sequenceNumber),
  offset: encodeSymbol(names.offset),
  enqueuedTime: encodeSymbol(names.enqueuedTime),
  partitionKey: encodeSymbol(names.partitionKey),
  lastSequenceNumber: encodeSymbol('last_enqueued_sequence_number'),
  lastOffset: encodeSymbol('last_enqueued_offset'),
  lastTime: encodeSymbol('last_enqueued_time_utc'),
  retrieved: encodeSymbol('runtime_info_retrieval_time_utc'),
}

export interface EventBytes {
  /** As sent. */
  readonly bytes: Buffer
  readonly partitionKey: string | undefined
}

export interface Sent {
  readonly events: readonly EventBytes[]
  /** Of the message: it chooses the partition. */
  readonly partitionKey: string | undefined
}

function partitionKeyOf(bytes: Buffer, sections: readonly Section[]): string | undefined {
  const annotations = sections.find(({ code }) => code === section.messageAnnotations)
  if (annotations === undefined) return undefined
  const entry = mapEntries(bytes, annotations.value).find(({ key }) => key === names.partitionKey)
  return entry === undefined ? undefined : textAt(bytes, entry.value)
}

/** One message that is one event. Throws when the bytes are no message. */
export function single(bytes: Buffer): Sent {
  const partitionKey = partitionKeyOf(bytes, sectionsOf(bytes))
  return { events: [{ bytes, partitionKey }], partitionKey }
}

/** One message whose data sections are events. Throws when it, or an event in it, is no message. */
export function batch(bytes: Buffer): Sent {
  const sections = sectionsOf(bytes)
  const partitionKey = partitionKeyOf(bytes, sections)
  const events = sections
    .filter(({ code }) => code === section.data)
    .map(({ value }): EventBytes => {
      const event = binaryAt(bytes, value)
      return { bytes: event, partitionKey: partitionKeyOf(event, sectionsOf(event)) ?? partitionKey }
    })
  if (events.length === 0) throw new NotAmqp('a batch has no data section')
  return { events, partitionKey }
}

export interface Position {
  readonly sequenceNumber: number
  readonly offset: number
  /** Milliseconds since the epoch. */
  readonly enqueuedTime: number
}

export interface StoredEvent extends EventBytes, Position {}

/** What a reader that tracks the partition's end is told with each event. */
export interface RuntimeMetric {
  readonly last: Position
  readonly now: number
}

function withoutReserved(bytes: Buffer, sections: readonly Section[]): Buffer[] {
  return sections
    .filter(({ code }) => code === section.messageAnnotations)
    .flatMap(({ value }) => mapEntries(bytes, value))
    .filter(({ key }) => !reserved.has(key))
    .map(({ start, end }) => bytes.subarray(start, end))
}

function annotations(event: StoredEvent, sections: readonly Section[]): EncodedEntries {
  const kept = withoutReserved(event.bytes, sections)
  const own = [
    keys.sequenceNumber,
    encodeLong(event.sequenceNumber),
    keys.offset,
    encodeText(String(event.offset)),
    keys.enqueuedTime,
    encodeTimestamp(event.enqueuedTime),
  ]
  if (event.partitionKey !== undefined) own.push(keys.partitionKey, encodeText(event.partitionKey))
  return { count: own.length + kept.length * 2, bytes: [...own, ...kept] }
}

const metricEntries = ({ last, now }: RuntimeMetric): EncodedEntries => ({
  count: 8,
  bytes: [
    keys.lastSequenceNumber,
    encodeLong(last.sequenceNumber),
    keys.lastOffset,
    encodeText(String(last.offset)),
    keys.lastTime,
    encodeTimestamp(last.enqueuedTime),
    keys.retrieved,
    encodeTimestamp(now),
  ],
})

/** The event as a reader gets it: the sender's sections byte for byte, between them the service's annotations. */
export function delivered(event: StoredEvent, metric: RuntimeMetric | undefined): Buffer {
  const sections = sectionsOf(event.bytes)
  const part = ({ start, end }: Section): Buffer => event.bytes.subarray(start, end)
  return Buffer.concat([
    ...sections.filter(({ code }) => code === section.header).map(part),
    ...(metric === undefined ? [] : mapSection(section.deliveryAnnotations, metricEntries(metric))),
    ...mapSection(section.messageAnnotations, annotations(event, sections)),
    ...sections.filter(({ code }) => code > section.messageAnnotations).map(part),
  ])
}
