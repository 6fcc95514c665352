/** Shared access signatures: `SharedAccessSignature sr=RESOURCE&sig=SIGNATURE&se=EXPIRY&skn=KEY NAME`. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { pathOf } from './address.ts'

/** Key name → key. */
export type Keys = ReadonlyMap<string, string>

export interface Grant {
  /** Covers this path and what lies under it. */
  readonly path: string
  /** Milliseconds since the epoch. */
  readonly expires: number
}

/** Signs as a client does; `expires` in seconds since the epoch. */
export function sign(resource: string, expires: number, { name, key }: { name: string; key: string }): string {
  const encoded = encodeURIComponent(resource)
  const signature = createHmac('sha256', key).update(`${encoded}\n${expires}`).digest('base64')
  return `SharedAccessSignature sr=${encoded}&sig=${encodeURIComponent(signature)}&se=${expires}&skn=${encodeURIComponent(name)}`
}

interface Fields {
  /** As written: the signature is over it. */
  readonly resource: string
  readonly signature: string
  readonly expires: string
  readonly keyName: string
}

function parse(token: string): Fields | undefined {
  const [, text] = /^SharedAccessSignature (.+)$/.exec(token) ?? []
  if (text === undefined) return undefined
  const fields = new Map(
    text.split('&').map((pair) => {
      const at = pair.indexOf('=')
      return [pair.slice(0, at), pair.slice(at + 1)] as const
    }),
  )
  const [resource, signature, expires, keyName] = ['sr', 'sig', 'se', 'skn'].map((name) => fields.get(name))
  if (resource === undefined || signature === undefined || expires === undefined || keyName === undefined)
    return undefined
  return { resource, signature, expires, keyName: decodeURIComponent(keyName) }
}

const covers = (granted: string, path: string): boolean =>
  granted === '' || path === granted || path.startsWith(`${granted}/`)

/** What the token grants at the audience, or why it grants nothing. Never repeats the token. */
export function verify(token: string, audience: string, { keys, now }: { keys: Keys; now: number }): Grant | string {
  const fields = parse(token)
  if (fields === undefined) return 'MalformedToken: the token is no shared access signature.'
  const key = keys.get(fields.keyName)
  if (key === undefined) return `InvalidSignature: there is no key "${fields.keyName}".`
  const expected = createHmac('sha256', key).update(`${fields.resource}\n${fields.expires}`).digest()
  const signature = Buffer.from(decodeURIComponent(fields.signature), 'base64')
  if (signature.length !== expected.length || !timingSafeEqual(signature, expected))
    return 'InvalidSignature: The token has an invalid signature.'
  const expires = Number(fields.expires) * 1000
  if (!(expires > now)) return 'ExpiredToken: The token is expired.'
  const path = pathOf(audience)
  if (!covers(pathOf(decodeURIComponent(fields.resource)), path))
    return `InvalidAudience: the token is not for '${audience}'.`
  return { path, expires }
}

/** Whether one of the grants covers the address. */
export const granted = (grants: Iterable<Grant>, address: string, now: number): boolean =>
  [...grants].some(({ path, expires }) => expires > now && covers(path, pathOf(address)))
