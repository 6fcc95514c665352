/**
 * How what a message of text attributes (Pub/Sub) or properties (Event Hubs) has no place for is carried beside its data,
 * so that a record that passes through such a service comes out as it went in.
 *
 * A header that is text becomes the attribute of its name. All else (bytes, null, a repeated name, what breaks a limit of
 * the service) is packed: JSON in base64url, in as many attributes as it takes. The order among headers of different
 * names is not kept.
 */
import { isUtf8 } from 'node:buffer'
import { type BridgeRecord, type Header, sourceIdHeader } from '../core/contracts.ts'

/** The record's time, in milliseconds since the epoch, where the service stamps its own. */
export const timestampAttribute = 'streambridge-timestamp'
/** Present when the value was null, which is not empty. */
export const nullValueAttribute = 'streambridge-null-value'
/** The packed rest; its continuations are `streambridge-packed-2`, `-3`, … */
export const packedAttribute = 'streambridge-packed'

export interface AttributeLimits {
  /** Bytes of UTF-8. */
  readonly maxNameBytes: number
  readonly maxValueBytes: number
  /** A name the service keeps for itself. */
  reserved(name: string): boolean
}

interface Packed {
  /** The key in base64url, where the service's own key does not tell it. */
  readonly key?: string | undefined
  /** Name, and value in base64url or null. */
  readonly headers?: readonly (readonly [string, string | null])[]
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
 * @param origin the batch's, for `streambridge-source-id`
 * @param keyTold whether the service's own key tells the record's (see `tellsKey`); true when there is none
 */
export function attributesOf(
  record: BridgeRecord,
  origin: string,
  keyTold: boolean,
  limits: AttributeLimits,
): Record<string, string> {
  const attributes: Record<string, string> = {
    [sourceIdHeader]: `${origin}/${record.position}`,
    [timestampAttribute]: String(Math.trunc(record.timestamp)),
  }
  if (record.value === null) attributes[nullValueAttribute] = 'true'
  const headers: [string, string | null][] = []
  for (const { name, value } of record.headers) {
    // The origin a former bridge wrote is replaced by this one's: a message has one.
    if (name === sourceIdHeader) continue
    const text = plainText(name, value, limits)
    if (text === undefined || name in attributes) headers.push([name, value?.toString('base64url') ?? null])
    else attributes[name] = text
  }
  const key = keyTold ? undefined : record.key?.toString('base64url')
  if (key !== undefined || headers.length > 0) pack({ key, headers }, attributes, limits.maxValueBytes)
  return attributes
}

function plainText(name: string, value: Buffer | null, limits: AttributeLimits): string | undefined {
  if (value === null || value.length > limits.maxValueBytes || !isUtf8(value)) return undefined
  const named = name.length > 0 && Buffer.byteLength(name) <= limits.maxNameBytes && !limits.reserved(name)
  return named && !name.startsWith('streambridge-') && !(name in Object.prototype) ? value.toString('utf8') : undefined
}

function pack(rest: Packed, attributes: Record<string, string>, longest: number): void {
  const text = Buffer.from(JSON.stringify(rest)).toString('base64url')
  for (let from = 0, part = 1; from < text.length; from += longest, part += 1)
    attributes[part === 1 ? packedAttribute : `${packedAttribute}-${part}`] = text.slice(from, from + longest)
}

/** What `attributesOf` put in; attributes of others become headers, and what cannot be read is left as a header too. */
export function carriedIn(attributes: ReadonlyMap<string, string>): Carried {
  const packed = unpack(attributes)
  const timestamp = timeIn(attributes)
  const ours = (name: string): boolean =>
    name === nullValueAttribute ||
    (name === timestampAttribute && timestamp !== undefined) ||
    (packed !== undefined && name.startsWith(packedAttribute))
  const headers: Header[] = []
  for (const [name, value] of attributes) if (!ours(name)) headers.push({ name, value: Buffer.from(value, 'utf8') })
  for (const [name, value] of packed?.headers ?? [])
    headers.push({ name, value: value === null ? null : decoded(value) })
  return {
    headers,
    nullValue: attributes.has(nullValueAttribute),
    timestamp,
    key: packed?.key === undefined ? undefined : decoded(packed.key),
  }
}

const decoded = (text: string): Buffer => Buffer.from(text, 'base64url')

function timeIn(attributes: ReadonlyMap<string, string>): number | undefined {
  const text = attributes.get(timestampAttribute)
  return text !== undefined && /^-?[0-9]{1,16}$/.test(text) ? Number(text) : undefined
}

function unpack(attributes: ReadonlyMap<string, string>): Packed | undefined {
  let text = attributes.get(packedAttribute)
  if (text === undefined) return undefined
  for (let part = 2, more = text; ; part += 1) {
    more = attributes.get(`${packedAttribute}-${part}`) ?? ''
    if (more === '') break
    text += more
  }
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    return isPacked(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isPacked(value: unknown): value is Packed {
  if (typeof value !== 'object' || value === null) return false
  const { key, headers } = value as { readonly key?: unknown; readonly headers?: unknown }
  return (key === undefined || typeof key === 'string') && (headers === undefined || isHeaders(headers))
}

const isHeaders = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.every(
    (pair) => Array.isArray(pair) && typeof pair[0] === 'string' && (typeof pair[1] === 'string' || pair[1] === null),
  )
