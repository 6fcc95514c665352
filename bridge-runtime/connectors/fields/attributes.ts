/**
 * How what a message of text attributes (Pub/Sub) or properties (Event Hubs) has no place for is carried beside its data,
 * so that a record that passes through such a service comes out as it went in.
 *
 * A header that is text becomes the attribute of its name. All else (bytes, null, a repeated name, what breaks a limit of
 * the service) is packed, see packed-attributes.ts. Where that makes more attributes than the service takes, the smallest
 * are packed as well, and where even that leaves no room, origin and time are left out: the record counts more. The order
 * among headers of different names is not kept.
 */
import { isUtf8 } from 'node:buffer'
import { type BridgeRecord, type Header, sourceIdHeader } from '../../core/contracts.ts'
import { pack, type PackedHeader, unpack } from './packed-attributes.ts'
import { int64, timeIn, wholeTime } from './whole-time.ts'

/** The record's time, in milliseconds since the epoch, where the service stamps its own. */
export const timestampAttribute = 'streambridge-timestamp'
/** Present when the value was null, which is not empty. */
export const nullValueAttribute = 'streambridge-null-value'

export interface AttributeLimits {
  /** Bytes of UTF-8. */
  readonly maxNameBytes: number
  readonly maxValueBytes: number
  /** Attributes of one message; infinite where they are not counted. */
  readonly maxAttributes: number
  /** A name the service keeps for itself. */
  reserved(name: string): boolean
}

/** What is carried beside a key and data. */
export interface Carried {
  readonly headers: readonly Header[]
  readonly nullValue: boolean
  /** Milliseconds since the epoch; undefined when no bridge wrote the message. */
  readonly timestamp: number | undefined
  /** Undefined when the service's own key tells it. */
  readonly key: Buffer | undefined
}

/**
 * More than `maxAttributes` where the record has no room in a message at all.
 *
 * @param origin the batch's, for `streambridge-source-id`
 * @param keyTold whether the service's own key tells the record's (see `tellsKey`); true when there is none
 */
export function attributesOf(
  record: BridgeRecord,
  origin: string,
  keyTold: boolean,
  limits: AttributeLimits,
): Record<string, string> {
  const key = keyTold ? undefined : record.key?.toString('base64url')
  const { plain: attributes, headers } = divided(record, limits)
  attributes[sourceIdHeader] = `${origin}/${record.position}`
  const time = wholeTime(record.timestamp)
  if (time !== undefined) attributes[timestampAttribute] = String(int64(time))
  if (record.value === null) attributes[nullValueAttribute] = 'true'
  if (key !== undefined || headers.length > 0) Object.assign(attributes, pack({ key, headers }, limits.maxValueBytes))
  return Object.keys(attributes).length <= limits.maxAttributes
    ? attributes
    : (fitted(record, { key, attributes }, limits) ?? attributes)
}

/** Headers that are attributes as they are, and those that must be packed. */
function divided(record: BridgeRecord, limits: AttributeLimits) {
  const plain: Record<string, string> = {}
  const headers: PackedHeader[] = []
  for (const { name, value } of record.headers) {
    // The origin a former bridge wrote is replaced by this one's: a message has one.
    if (name === sourceIdHeader) continue
    const text = plainText(name, value, limits)
    if (text === undefined || name in plain) headers.push([name, value?.toString('base64url') ?? null])
    else plain[name] = text
  }
  return { plain, headers }
}

/** For a record with more attributes than a message takes. Undefined when it has no room, whatever is done. */
function fitted(
  record: BridgeRecord,
  { key, attributes }: { readonly key: string | undefined; readonly attributes: Readonly<Record<string, string>> },
  limits: AttributeLimits,
): Record<string, string> | undefined {
  const rest = { key, ...divided(record, limits) }
  const own: Record<string, string> = record.value === null ? { [nullValueAttribute]: 'true' } : {}
  const told: Record<string, string> = {}
  for (const name of [sourceIdHeader, timestampAttribute]) {
    const text = attributes[name]
    if (text !== undefined) told[name] = text
  }
  return squeezed(rest, { ...told, ...own }, limits) ?? squeezed(rest, own, limits)
}

interface Rest {
  readonly key: string | undefined
  readonly headers: readonly PackedHeader[]
  readonly plain: Readonly<Record<string, string>>
}

/** Packs as many of the plain attributes as must be, the smallest first. Undefined when that does not help. */
function squeezed(
  { key, headers, plain }: Rest,
  own: Readonly<Record<string, string>>,
  { maxAttributes, maxValueBytes }: AttributeLimits,
): Record<string, string> | undefined {
  const bySize = Object.entries(plain).sort(([a, one], [b, other]) => a.length + one.length - b.length - other.length)
  const surplus = Object.keys(own).length + bySize.length - maxAttributes
  for (let count = Math.max(0, surplus); count <= bySize.length; count += 1) {
    const moved = bySize.slice(0, count).map(([name, text]): PackedHeader => [name, base64(text)])
    const packed = pack({ key, headers: [...headers, ...moved] }, maxValueBytes)
    const parts = Object.keys(packed).length
    // It only grows.
    if (parts > maxAttributes) return undefined
    if (parts <= count - surplus) return { ...own, ...Object.fromEntries(bySize.slice(count)), ...packed }
  }
  return undefined
}

const base64 = (text: string): string => Buffer.from(text).toString('base64url')

function plainText(name: string, value: Buffer | null, limits: AttributeLimits): string | undefined {
  if (value === null || value.length > limits.maxValueBytes || !isUtf8(value)) return undefined
  const named =
    name.length > 0 && Buffer.byteLength(name) <= limits.maxNameBytes && !limits.reserved(name) && name.isWellFormed()
  return named && !name.startsWith('streambridge-') && !(name in Object.prototype) ? value.toString('utf8') : undefined
}

/** What stands beside the attributes of a message. A mark of ours that it contradicts is another program's. */
export interface Beside {
  /** The data has no bytes. */
  readonly empty: boolean
  /** Whether a packed key may be the record's: the service's own is none, or stands for it. */
  readonly admits: (key: Buffer) => boolean
}

/** What `attributesOf` put in; attributes of others become headers, and so does what looks like ours and cannot be. */
export function carriedIn(attributes: ReadonlyMap<string, string>, { empty, admits }: Beside): Carried {
  const found = unpack(attributes)
  const packed = found?.key === undefined || admits(found.key) ? found : undefined
  const timestamp = timeIn(attributes.get(timestampAttribute) ?? '')
  const nullValue = empty && attributes.get(nullValueAttribute) === 'true'
  const ours = (name: string): boolean =>
    (name === nullValueAttribute && nullValue) ||
    (name === timestampAttribute && timestamp !== undefined) ||
    packed?.names.has(name) === true
  const headers: Header[] = []
  for (const [name, value] of attributes) if (!ours(name)) headers.push({ name, value: Buffer.from(value, 'utf8') })
  for (const header of packed?.headers ?? []) headers.push(header)
  return { headers, nullValue, timestamp, key: packed?.key }
}
