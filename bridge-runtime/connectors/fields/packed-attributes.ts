/**
 * What has no place among the attributes of a message, packed into few of them: JSON in base64url, cut into
 * `streambridge-packed`, `streambridge-packed-2`, `-3`, …
 */
import { isUtf8 } from 'node:buffer'

/** The packed rest; its continuations are `streambridge-packed-2`, `-3`, … */
export const packedAttribute = 'streambridge-packed'

/** Name, and value in base64url or null. */
export type PackedHeader = readonly [string, string | null]

export interface Packed {
  /** The key in base64url, where the service's own key does not tell it. */
  readonly key?: string | undefined
  readonly headers?: readonly PackedHeader[]
}

export interface Unpacked {
  readonly key: Buffer | undefined
  readonly headers: readonly { readonly name: string; readonly value: Buffer | null }[]
  /** The attributes it was read from. */
  readonly names: ReadonlySet<string>
}

const nameOf = (part: number): string => (part === 1 ? packedAttribute : `${packedAttribute}-${part}`)

/** @param longest bytes of one attribute's value; the names are short */
export function pack({ key, headers = [] }: Packed, longest: number): Readonly<Record<string, string>> {
  const attributes: Record<string, string> = {}
  if (key === undefined && headers.length === 0) return attributes
  const text = Buffer.from(JSON.stringify({ key, headers })).toString('base64url')
  for (let from = 0, part = 1; from < text.length; from += longest, part += 1)
    attributes[nameOf(part)] = text.slice(from, from + longest)
  return attributes
}

/**
 * Undefined where nothing is packed, or not as it is documented: another program may use the names. Then, and only then, nothing in
 * the attributes would be lost.
 */
export function unpack(attributes: ReadonlyMap<string, string>): Unpacked | undefined {
  const names = new Set<string>()
  let text = ''
  for (let part = 1; ; part += 1) {
    const more = attributes.get(nameOf(part)) ?? ''
    if (more === '') break
    names.add(nameOf(part))
    text += more
  }
  const packed = packedIn(text)
  if (packed === undefined) return undefined
  const key = packed.key === undefined ? undefined : bytesOf(packed.key)
  const headers = (packed.headers ?? []).map(([name, value]) => ({
    name,
    value: value === null ? null : bytesOf(value),
  }))
  const whole = headers.length > 0 || key !== undefined
  const sound = (packed.key === undefined || key !== undefined) && headers.every(hasBytes)
  return whole && sound ? { key, headers, names } : undefined
}

const hasBytes = <T extends { readonly value: Buffer | null | undefined }>(
  header: T,
): header is T & { readonly value: Buffer | null } => header.value !== undefined

/** Undefined for what is not base64url, with padding or without: what Node skips would be lost. */
function bytesOf(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text.replace(/={1,2}$/, '') ? bytes : undefined
}

function packedIn(text: string): Packed | undefined {
  const json = bytesOf(text)
  if (json === undefined || json.length === 0 || !isUtf8(json)) return undefined
  try {
    const value: unknown = JSON.parse(json.toString('utf8'))
    return isPacked(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Nothing but what is documented: the rest would be lost. */
function isPacked(value: unknown): value is Packed {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const { key, headers, ...rest } = value as { readonly key?: unknown; readonly headers?: unknown }
  const keyed = key === undefined || typeof key === 'string'
  return keyed && (headers === undefined || isHeaders(headers)) && Object.keys(rest).length === 0
}

const isHeaders = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.every(
    (pair) =>
      Array.isArray(pair) &&
      pair.length === 2 &&
      typeof pair[0] === 'string' &&
      (typeof pair[1] === 'string' || pair[1] === null),
  )
