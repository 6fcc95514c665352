/** Reads a connection string, and signs with its key. */
import { createHmac } from 'node:crypto'
import { BridgeError } from '../../core/errors.ts'
import { unprintable } from '../requests/secret-text.ts'

/** Where the namespace is and what proves who we are. */
export interface Access {
  readonly host: string
  readonly port: number
  readonly tls: boolean
  /** `sb://host[:port]/`, as tokens name it. */
  readonly endpoint: string
  readonly keyName: string
  readonly key: string
}

export interface Expected {
  readonly fullyQualifiedNamespace: string
  readonly eventHubName: string
  /** Where the string is from, for messages: `Secret orders key connection-string`. */
  readonly where: string
  /** The connector's own field in the manifest, for messages. */
  readonly field: string
}

/**
 * *Errors*: fatal, reason `InvalidConnectionString`, when a part is missing or contradicts the configuration. The message
 * names the part, and nothing that stands in it.
 */
export function readConnectionString(text: string, expected: Expected): Access {
  const invalid = (what: string): BridgeError =>
    new BridgeError(`the connection string in ${expected.where} ${what}`, {
      kind: 'fatal',
      reason: 'InvalidConnectionString',
    })
  const parts = partsOf(text)
  const part = (name: string): string => {
    const value = parts.get(name.toLowerCase())
    if (value === undefined || value === '')
      throw invalid(`has no ${name}; copy the whole string of a shared access policy`)
    return value
  }
  const token = (name: string): string => {
    const value = part(name)
    const fault = unprintable(value)
    if (fault !== undefined) throw invalid(`has a ${name} that ${fault}; copy the whole string, on one line`)
    return value
  }
  const found = /^sb:\/\/(\[[0-9a-fA-F:]+\]|[A-Za-z0-9_.-]+)(?::([0-9]{1,5}))?\/?$/i.exec(part('Endpoint'))
  if (found?.[1] === undefined)
    throw invalid('has an Endpoint that is not sb://HOST/; are all parts separated by semicolons?')
  const [, host, port] = found
  // What it names instead is not told: with a separator missing it is the key.
  if (host.toLowerCase() !== expected.fullyQualifiedNamespace.toLowerCase())
    throw invalid(
      `is for another namespace than ${expected.field}.fullyQualifiedNamespace, ${expected.fullyQualifiedNamespace}; take the string of that one, or correct the field`,
    )
  const entity = parts.get('entitypath') ?? expected.eventHubName
  if (entity.toLowerCase() !== expected.eventHubName.toLowerCase())
    throw invalid(
      `has the EntityPath of another event hub than ${expected.field}.eventHubName, ${expected.eventHubName}; take the string of that one, or correct the field`,
    )
  const emulator = parts.get('usedevelopmentemulator')?.toLowerCase() === 'true'
  return {
    host: host.replace(/^\[|\]$/g, ''),
    port: port === undefined ? (emulator ? 5672 : 5671) : Number(port),
    tls: !emulator,
    endpoint: `sb://${host}${port === undefined ? '' : `:${port}`}/`,
    keyName: token('SharedAccessKeyName'),
    key: token('SharedAccessKey'),
  }
}

/** Names are not case-sensitive; keys end in `=`. */
function partsOf(text: string): ReadonlyMap<string, string> {
  const pairs = text.trim().split(';')
  return new Map(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      return [pair.slice(0, Math.max(at, 0)).trim().toLowerCase(), pair.slice(at + 1).trim()]
    }),
  )
}

/** A shared access signature for a resource. @param expires seconds since the epoch */
export function signatureOf(resource: string, expires: number, { keyName, key }: Access): string {
  const encoded = encodeURIComponent(resource)
  const signature = createHmac('sha256', key).update(`${encoded}\n${expires}`).digest('base64')
  return `SharedAccessSignature sr=${encoded}&sig=${encodeURIComponent(signature)}&se=${expires}&skn=${encodeURIComponent(keyName)}`
}
