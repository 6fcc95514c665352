/** How to reach and convince a cluster: the client's options from the spec and its Secrets. */
import type { ConnectionOptions, SASLOptions } from '@platformatic/kafka'
import type { ConnectorContext } from '../define-connector.ts'
import type { KafkaConnectionConfig } from './schema.ts'

/** Secrets are read here, at each opening, so that a rotated one is used by the next. Rejects with a fatal BridgeError. */
export async function connectionOptions(
  config: KafkaConnectionConfig,
  context: Pick<ConnectorContext, 'secret'>,
): Promise<ConnectionOptions> {
  const [tls, sasl] = await Promise.all([tlsOptions(config.tls, context), saslOptions(config.sasl, context)])
  return { connectTimeout: 5_000, ...(tls ? { tls } : {}), ...(sasl ? { sasl } : {}) }
}

async function tlsOptions(tls: KafkaConnectionConfig['tls'], { secret }: Pick<ConnectorContext, 'secret'>) {
  if (tls === undefined) return undefined
  const [ca, cert, key] = await Promise.all(
    [tls.caSecretRef, tls.certSecretRef, tls.keySecretRef].map(async (ref) => (ref ? secret(ref) : undefined)),
  )
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
