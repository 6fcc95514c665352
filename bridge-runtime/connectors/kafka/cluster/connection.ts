/** How to reach and convince a cluster: the client's options from the spec and its Secrets. */
import type { ConnectionOptions, SASLOptions } from '@platformatic/kafka'
import type { ConnectorContext } from '../../define-connector.ts'
import type { KafkaConnectionConfig } from '../schema.ts'
import { checkTls } from './tls-files.ts'

/** Secrets are read here, at each opening, so that a rotated one is used by the next. Rejects with a fatal BridgeError. */
export async function connectionOptions(
  config: KafkaConnectionConfig,
  context: Pick<ConnectorContext, 'secret' | 'field'>,
): Promise<ConnectionOptions> {
  const [tls, sasl] = await Promise.all([tlsOptions(config.tls, context), saslOptions(config.sasl, context)])
  return { connectTimeout: 5_000, ...(tls ? { tls } : {}), ...(sasl ? { sasl } : {}) }
}

async function tlsOptions(
  tls: KafkaConnectionConfig['tls'],
  { secret, field }: Pick<ConnectorContext, 'secret' | 'field'>,
) {
  if (tls === undefined) return undefined
  const { caSecretRef, certSecretRef, keySecretRef } = tls
  const [ca, cert, key] = await Promise.all(
    [caSecretRef, certSecretRef, keySecretRef].map(async (ref) => (ref ? secret(ref) : undefined)),
  )
  checkTls([
    { what: 'certificate', field: `${field}.tls.caSecretRef`, ref: caSecretRef, pem: ca },
    { what: 'certificate', field: `${field}.tls.certSecretRef`, ref: certSecretRef, pem: cert },
    { what: 'private key', field: `${field}.tls.keySecretRef`, ref: keySecretRef, pem: key },
  ])
  return {
    rejectUnauthorized: !tls.insecureSkipVerify,
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
  }
}

async function saslOptions(
  sasl: KafkaConnectionConfig['sasl'],
  { secret }: Pick<ConnectorContext, 'secret'>,
): Promise<SASLOptions | undefined> {
  if (sasl === undefined) return undefined
  const [username, password] = await Promise.all([secret(sasl.usernameSecretRef), secret(sasl.passwordSecretRef)])
  return { mechanism: sasl.mechanism, username: text(username), password: text(password) }
}

/** Secrets made by hand often end with a newline that is no part of the password. */
const text = (value: Buffer): string => value.toString('utf8').replace(/\r?\n$/, '')
