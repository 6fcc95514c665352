import { createPrivateKey } from 'node:crypto'
import { BridgeError } from '../../core/errors.ts'
import type { ReadSecret } from '../define-connector.ts'
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
  const problem = (what: string): BridgeError =>
    new BridgeError(`Secret "${ref.name}" key "${ref.key}" ${what}`, { kind: 'fatal', reason: 'AuthenticationFailed' })
  const json = parsed((await secret(ref)).toString('utf8'))
  if (json === undefined) throw problem('is not JSON: put in the key file of a service account')
  const { type } = json
  if (type === 'external_account') return json
  if (type !== 'service_account')
    throw problem('has no "type": "service_account" or "external_account": put in the key file of a service account')
  if (typeof json['client_email'] !== 'string') throw problem('has no client_email')
  if (!isPrivateKey(json['private_key'])) throw problem('has no usable private_key')
  return json
}

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
