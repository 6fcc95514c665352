/** An event as a record. Bodies and properties of AMQP's own types are made text; see the guide. */
import type { BridgeRecord, Header } from '../../../core/contracts.ts'
import { BridgeError } from '../../../core/errors.ts'
import { carriedIn } from '../../fields/attributes.ts'
import { keyOfText, standsFor } from '../../fields/text-key.ts'
import { type Body, type Layout, layoutOf, type Told, UnreadableEvent } from '../amqp/decoding.ts'
import { binaryAt, forEachEntry, type Span, textAt, Unreadable } from '../amqp/encoded-values.ts'
import { bytesOfValue, textOfLists, textOfValue } from '../amqp/value-text.ts'

/** An event as it was received. */
export interface IncomingEvent extends Told {
  /** The whole message, encoded. */
  readonly encoded: Buffer
  /** Why it cannot be read, when it cannot. */
  readonly layout: Layout | UnreadableEvent
}

/** @param presumed what an event is taken to be whose own number or time cannot be read */
export function incoming(encoded: Buffer, presumed: Pick<Told, 'sequenceNumber' | 'enqueued'>): IncomingEvent {
  try {
    const layout = layoutOf(encoded)
    const { sequenceNumber, enqueued, last } = layout
    return { sequenceNumber, enqueued, last, encoded, layout }
  } catch (thrown) {
    if (!(thrown instanceof UnreadableEvent)) throw thrown
    return { ...presumed, last: undefined, ...thrown.told, encoded, layout: thrown }
  }
}

/** Never throws: an event that cannot be read is a record that says so, with its bytes. */
export function recordOf(event: IncomingEvent): BridgeRecord {
  const { layout, encoded } = event
  if (layout instanceof UnreadableEvent) return unreadable(event, layout)
  try {
    return readable(encoded, layout)
  } catch (thrown) {
    if (thrown instanceof Unreadable) return unreadable(event, thrown)
    throw thrown
  }
}

const unreadable = ({ encoded, enqueued, sequenceNumber }: IncomingEvent, { message }: Error): BridgeRecord => ({
  key: null,
  value: encoded,
  headers: [],
  timestamp: enqueued,
  position: String(sequenceNumber),
  poison: new BridgeError(message, { kind: 'poison', reason: 'UnreadableRecord' }),
})

function readable(encoded: Buffer, layout: Layout): BridgeRecord {
  const { texts, others } = propertiesOf(encoded, layout.properties)
  const value = bodyOf(encoded, layout.body)
  const own = keyOf(encoded, layout)
  const { headers, nullValue, timestamp, key } = carriedIn(texts, {
    empty: value === null || value.length === 0,
    // Also as text: a digest stays what it is.
    admits: (packed) => own === null || standsFor(own.toString('utf8'), packed),
  })
  return {
    key: key ?? own,
    value: nullValue ? null : value,
    headers: others.length === 0 ? headers : [...headers, ...others],
    timestamp: timestamp ?? layout.enqueued,
    position: String(layout.sequenceNumber),
  }
}

interface Properties {
  /** Those of type string: what a bridge wrote is among them. */
  readonly texts: ReadonlyMap<string, string>
  readonly others: readonly Header[]
}

function propertiesOf(bytes: Buffer, span: Span | undefined): Properties {
  const texts = new Map<string, string>()
  const others: Header[] = []
  if (span === undefined) return { texts, others }
  forEachEntry(bytes, span, (at, value, end) => {
    const name = textAt(bytes, at) ?? textOfValue(bytes, { at, end: value })
    const text = textAt(bytes, value)
    if (text === undefined || texts.has(name)) others.push({ name, value: bytesOfValue(bytes, { at: value, end }) })
    else texts.set(name, text)
  })
  return { texts, others }
}

/** The service's own key, or else the one of a record that was written through the Kafka endpoint: its bytes. */
function keyOf(bytes: Buffer, { partitionKey, kafkaKey }: Layout): Buffer | null {
  const text = partitionKey && textAt(bytes, partitionKey.at)
  if (text !== undefined) return keyOfText(text)
  const key = partitionKey && bytesOfValue(bytes, partitionKey)
  return key ?? (kafkaKey === undefined ? null : bytesOfValue(bytes, kafkaKey))
}

function bodyOf(bytes: Buffer, body: Body | undefined): Buffer | null {
  const [first, ...more] = body?.sections ?? []
  if (body === undefined || first === undefined) return null
  if (body.kind === 'value') return bytesOfValue(bytes, first)
  if (body.kind === 'sequence') return Buffer.from(textOfLists(bytes, body.sections), 'utf8')
  return more.length === 0 ? dataAt(bytes, first) : Buffer.concat(body.sections.map((each) => dataAt(bytes, each)))
}

function dataAt(bytes: Buffer, { at }: Span): Buffer {
  const found = binaryAt(bytes, at)
  if (found === undefined) throw new Unreadable(at, 'no bytes, where a data section has them')
  return found
}
