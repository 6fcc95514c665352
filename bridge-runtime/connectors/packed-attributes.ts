/**
 * What has no place among the attributes of a message, packed into few of them: JSON in base64url, cut into
 * `streambridge-packed`, `streambridge-packed-2`, `-3`, …
 */

/** The packed rest; its continuations are `streambridge-packed-2`, `-3`, … */
export const packedAttribute = 'streambridge-packed'

/** Name, and value in base64url or null. */
export type PackedHeader = readonly [string, string | null]

export interface Packed {
  /** The key in base64url, where the service's own key does not tell it. */
  readonly key?: string | undefined
  readonly headers?: readonly PackedHeader[]
}

/** @param longest bytes of one attribute's value; the names are short */
export function pack({ key, headers = [] }: Packed, longest: number): Readonly<Record<string, string>> {
  const attributes: Record<string, string> = {}
  if (key === undefined && headers.length === 0) return attributes
  const text = Buffer.from(JSON.stringify({ key, headers })).toString('base64url')
  for (let from = 0, part = 1; from < text.length; from += longest, part += 1)
    attributes[part === 1 ? packedAttribute : `${packedAttribute}-${part}`] = text.slice(from, from + longest)
  return attributes
}

/** Undefined where nothing is packed, or not by us. */
export function unpack(attributes: ReadonlyMap<string, string>): Packed | undefined {
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
