import { createPrivateKey } from 'node:crypto'
import { BridgeError } from '../../core/errors.ts'
import type { ReadSecret } from '../define-connector.ts'
import { placeOf } from '../requests/secret-text.ts'
import type { PubsubConnectionConfig } from './schema.ts'

/** What Google's library takes as credentials: the JSON as it was downloaded. */
export type Credentials = Readonly<Record<string, unknown>>

/**
 * The credentials a Secret holds; undefined: application default credentials.
 * *Errors*: fatal `AuthenticationFailed`, which tells nothing of the Secret's content.
 */
export async function readCredentials(
  { auth: { credentialsSecretRef: ref } }: Pick<PubsubConnectionConfig, 'auth'>,
  secret: ReadSecret,
): Promise<Credentials | undefined> {
  if (ref === undefined) return undefined
  const json = parsed((await secret(ref)).toString('utf8'))
  const fault = json === undefined ? 'is not JSON: put in the key file of a service account' : faultOf(json)
  if (fault === undefined) return json
  throw new BridgeError(`${placeOf(ref)} ${fault}`, { kind: 'fatal', reason: 'AuthenticationFailed' })
}

/** Why they are none; undefined: they may be. Fields whose name is not our own are counted, not named. */
function faultOf(json: Credentials): string | undefined {
  // Some of them go into headers, and what refuses them there quotes them.
  const odd = Object.entries(json).findIndex(
    ([field, value]) => typeof value === 'string' && field !== 'private_key' && /[^\x20-\x7e]/.test(value),
  )
  if (odd >= 0) return `has a character in field number ${odd + 1} that none has there`
  const { type, universe_domain: universe = universeDomain } = json
  if (universe !== universeDomain) return `has another universe_domain than ${universeDomain}`
  if (type === 'external_account') return undefined
  if (type !== 'service_account')
    return 'has no "type": "service_account" or "external_account": put in the key file of a service account'
  if (typeof json['client_email'] !== 'string') return 'has no client_email'
  return isPrivateKey(json['private_key']) ? undefined : 'has no usable private_key'
}

/** The only one there is a Pub/Sub of for everybody. */
export const universeDomain = 'googleapis.com'

function parsed(text: string): Credentials | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Credentials) : undefined
  } catch {
    return undefined
  }
}

function isPrivateKey(key: unknown): boolean {
  try {
    return typeof key === 'string' && createPrivateKey(key).type === 'private'
  } catch {
    return false
  }
}
