/** The client's errors → BridgeErrors, in one table. */
import { protocolErrors, protocolErrorsCodesById } from '@platformatic/kafka'
import type { KafkaReason } from '../../../crds/kit/reasons/kafka.ts'
import { BridgeError, type ErrorKind } from '../../core/errors.ts'

/** A name of Kafka's error table (`NOT_LEADER_OR_FOLLOWER`); `UNKNOWN_SERVER_ERROR` for a number it does not have. */
export const codeName = (code: number): string => protocolErrorsCodesById[code] ?? 'UNKNOWN_SERVER_ERROR'

type Meaning = readonly [ErrorKind, KafkaReason, string]

const meanings: Readonly<Record<string, Meaning>> = {
  UNKNOWN_TOPIC_OR_PARTITION: ['fatal', 'TopicNotFound', 'create the topic or correct its name in the spec'],
  UNKNOWN_TOPIC_ID: ['fatal', 'TopicNotFound', 'create the topic or correct its name in the spec'],
  INVALID_TOPIC_EXCEPTION: ['fatal', 'TopicNotFound', 'correct the topic name in the spec'],
  TOPIC_AUTHORIZATION_FAILED: ['fatal', 'AuthorizationFailed', 'allow this user to use the topic (ACL)'],
  GROUP_AUTHORIZATION_FAILED: ['fatal', 'AuthorizationFailed', 'allow this user Read on the consumer group (ACL)'],
  CLUSTER_AUTHORIZATION_FAILED: ['fatal', 'AuthorizationFailed', 'allow this user IdempotentWrite or Write (ACL)'],
  SASL_AUTHENTICATION_FAILED: ['fatal', 'AuthenticationFailed', 'check the user name and password in the Secret'],
  UNSUPPORTED_SASL_MECHANISM: ['fatal', 'AuthenticationFailed', 'enable this SASL mechanism on the listener'],
  ILLEGAL_SASL_STATE: [
    'fatal',
    'AuthenticationFailed',
    'the listener expects another way to log in: check tls and sasl',
  ],
  UNSUPPORTED_VERSION: ['fatal', 'UnsupportedBroker', 'use a broker of Kafka 2.8 or newer'],
  INVALID_SESSION_TIMEOUT: ['fatal', 'InvalidConfiguration', "set sessionTimeout within the broker's group limits"],
  INVALID_GROUP_ID: ['fatal', 'InvalidConfiguration', 'correct consumerGroup in the spec'],
  INCONSISTENT_GROUP_PROTOCOL: [
    'fatal',
    'InvalidConfiguration',
    'another application uses this consumer group: choose another name',
  ],
  GROUP_MAX_SIZE_REACHED: ['fatal', 'GroupFull', 'the consumer group has as many members as the broker allows'],
  MESSAGE_TOO_LARGE: ['poison', 'RecordTooLarge', 'raise max.message.bytes of the topic'],
  RECORD_LIST_TOO_LARGE: ['poison', 'RecordTooLarge', 'raise segment.bytes of the topic'],
  INVALID_TIMESTAMP: ['poison', 'InvalidRecord', "the record's time is outside what the topic allows"],
  INVALID_RECORD: ['poison', 'InvalidRecord', 'the topic refuses it (a compacted topic needs keys)'],
  THROTTLING_QUOTA_EXCEEDED: ['retryable', 'Throttled', 'the broker limits this client'],
  NOT_ENOUGH_REPLICAS: ['retryable', 'NotEnoughReplicas', 'too few in-sync replicas'],
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: ['retryable', 'NotEnoughReplicas', 'too few in-sync replicas'],
}

/** An answer of a broker that is an error. `what` names the operation and its object: `writing to topic "orders"`. */
export function answerError(name: string, what: string, cause?: unknown): BridgeError {
  const unlisted: Meaning = ['retryable', 'BrokerError', protocolErrors[name]?.message ?? '']
  const [kind, reason, advice] = meanings[name] ?? unlisted
  return new BridgeError(`${what}: ${name}: ${advice}`, { kind, reason, cause })
}

/**
 * Anything the client throws. Only the class of an error and Kafka's own names are trusted: its `TimeoutError` carries
 * the code of a network error, and `canRetry` differs from place to place. Broker texts may quote credentials and are
 * not repeated.
 */
export function translate(thrown: unknown, what: string): BridgeError {
  if (thrown instanceof BridgeError) return thrown
  for (const error of chain(thrown)) {
    const known = protocolName(error)
    if (known !== undefined) return answerError(known, what, thrown)
    const local = localError(error, what, thrown)
    if (local !== undefined) return local
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new BridgeError(`${what}: ${message}`, { kind: 'retryable', reason: 'BrokerUnreachable', cause: thrown })
}

/** The name of Kafka's error inside, if any. */
export function protocolError(thrown: unknown): string | undefined {
  for (const error of chain(thrown)) {
    const name = protocolName(error)
    if (name !== undefined) return name
  }
  return undefined
}

const protocolName = (error: Error): string | undefined =>
  'apiId' in error && typeof error.apiId === 'string' ? error.apiId : undefined

/** An error, what caused it and what it consists of: innermost facts are the useful ones, so causes come first. */
function* chain(thrown: unknown, depth = 0): Generator<Error> {
  if (!(thrown instanceof Error) || depth > 8) return
  if (thrown instanceof AggregateError) for (const inner of thrown.errors) yield* chain(inner, depth + 1)
  yield* chain(thrown.cause, depth + 1)
  yield thrown
}

const systemErrors: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset (do the listener and the spec agree on tls?)',
  ENOTFOUND: 'host name not found',
  EAI_AGAIN: 'host name not found for now',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'no route to the host',
}

const certificateErrors =
  /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|EPROTO$|ERR_OSSL_|HOSTNAME_MISMATCH)/

/** What a listener without TLS does to one who begins with it: it closes, or answers what is no TLS. */
const noTls = /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNSUPPORTED_PROTOCOL)$/
const closedBeforeTls = /secure TLS connection was established|TLS handshake failed/

function localError(error: Error, what: string, cause: unknown): BridgeError | undefined {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (noTls.test(code) || closedBeforeTls.test(error.message)) {
    const message = `${what}: the listener does not speak TLS, or was closed: remove tls, or name the port of its TLS listener`
    return new BridgeError(message, { kind: 'retryable', reason: 'TlsFailed', cause })
  }
  if (certificateErrors.test(code)) {
    const message = `${what}: TLS failed (${code}): check caSecretRef, and that host names match the certificate`
    return new BridgeError(message, { kind: 'fatal', reason: 'TlsFailed', cause })
  }
  const system = systemErrors[code]
  if (system !== undefined) {
    return new BridgeError(`${what}: ${system}: check bootstrapServers and the network`, {
      kind: 'retryable',
      reason: 'BrokerUnreachable',
      cause,
    })
  }
  if (error.constructor.name === 'AuthenticationError' || saslText.test(error.message)) {
    const message = `${what}: log-in refused: check the user name and password in the Secret, and the mechanism`
    return new BridgeError(message, { kind: 'fatal', reason: 'AuthenticationFailed', cause })
  }
  if (error.message === 'Broker requires TLS.') {
    return new BridgeError(`${what}: the listener speaks TLS: set tls`, { kind: 'fatal', reason: 'TlsFailed', cause })
  }
  return undefined
}

const saslText = /^(SASL authentication failed|Invalid server (nonce|signature|iteration))/i

/** Errors that mean: another broker leads this partition now, or soon. */
export const leaderMoved = new Set([
  'NOT_LEADER_OR_FOLLOWER',
  'LEADER_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'KAFKA_STORAGE_ERROR',
  'OFFSET_NOT_AVAILABLE',
])
