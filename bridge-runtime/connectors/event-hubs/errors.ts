/** Translates what the service and the network say, once. */
import type { EventHubsReason } from '../../../crds/kit/reasons/event-hubs.ts'
import { BridgeError, type ErrorKind } from '../../core/errors.ts'
import { isNetworkCode } from '../requests/network-code.ts'

/** What the service said when it refused or ended something; the condition is AMQP's or the service's own word. */
export class AmqpFailure extends Error {
  readonly condition: string
  constructor(condition: string, description: string) {
    super(description)
    this.name = 'AmqpFailure'
    this.condition = condition
  }
}

/** No answer in time, or the connection is gone: it is not known what became of what was on the way. */
export class ConnectionLost extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ConnectionLost'
  }
}

/** The right of a shared access policy, and with it the role, that an action needs. */
export type Right = 'Listen' | 'Send'

interface Meaning {
  readonly kind: ErrorKind
  readonly reason: EventHubsReason
  /**
   * What a person does about it, by the path of the connector's own field. Where it is given the service's own text is left
   * out: it may repeat credentials.
   */
  readonly advice?: string | ((field: string) => string)
}

const unavailable: Meaning = { kind: 'retryable', reason: 'ServiceUnavailable' }
const unreachable: Meaning = { kind: 'retryable', reason: 'EndpointUnreachable' }
const invalid: Meaning = { kind: 'fatal', reason: 'InvalidRequest' }
const refused: Meaning = {
  kind: 'fatal',
  reason: 'AuthenticationFailed',
  advice: (field) =>
    `the service does not accept the key; check the connection string in the Secret that ${field}.auth.connectionStringSecretRef names`,
}

/** Tokens are made here, each for an hour. */
const expired: Meaning = {
  kind: 'fatal',
  reason: 'AuthenticationFailed',
  advice: 'the service takes a token made just now for expired; check the clock of the node',
}

const roles: Readonly<Record<Right, string>> = {
  Listen: 'Azure Event Hubs Data Receiver',
  Send: 'Azure Event Hubs Data Sender',
}

const meanings: Readonly<Record<string, Meaning>> = {
  'com.microsoft:server-busy': { kind: 'retryable', reason: 'Throttled' },
  'com.microsoft:timeout': unavailable,
  'com.microsoft:operation-cancelled': unavailable,
  'amqp:internal-error': unavailable,
  'amqp:connection:forced': unavailable,
  'amqp:link:detach-forced': unavailable,
  'amqp:session:window-violation': unavailable,
  'amqp:link:stolen': {
    kind: 'retryable',
    reason: 'PartitionTaken',
    advice:
      'another reader with a higher owner level has it; if that is not a replica of this bridge, give the bridge a consumer group of its own',
  },
  'amqp:resource-limit-exceeded': { kind: 'retryable', reason: 'QuotaExceeded' },
  'amqp:link:message-size-exceeded': { kind: 'retryable', reason: 'BatchTooLarge' },
  'com.microsoft:entity-disabled': {
    kind: 'fatal',
    reason: 'EventHubDisabled',
    advice: 'the event hub is disabled; enable it',
  },
  'com.microsoft:argument-out-of-range': invalid,
  'com.microsoft:argument-error': invalid,
  'amqp:not-allowed': invalid,
  'amqp:not-implemented': invalid,
  'amqp:invalid-field': invalid,
}

function meaningOf(thrown: unknown, right: Right): Meaning | undefined {
  if (thrown instanceof ConnectionLost) return unreachable
  if (!(thrown instanceof AmqpFailure)) {
    const { code } = Object(thrown) as { readonly code?: unknown }
    return isNetworkCode(code) ? unreachable : undefined
  }
  const { condition, message } = thrown
  if (condition === 'amqp:unauthorized-access') return unauthorized(message, right)
  if (condition === 'amqp:not-found') return missing(message)
  return meanings[condition]
}

function unauthorized(message: string, right: Right): Meaning {
  if (/claim/i.test(message)) return denied(right)
  return /ExpiredToken/i.test(message) ? expired : refused
}

const denied = (right: Right): Meaning => ({
  kind: 'fatal',
  reason: 'AccessDenied',
  advice: `the shared access policy lacks the right ${right} (as a role: ${roles[right]}); grant it`,
})

const missing = (message: string): Meaning =>
  /consumer ?group/i.test(message)
    ? {
        kind: 'fatal',
        reason: 'ConsumerGroupNotFound',
        advice: (field) => `the consumer group does not exist; create it, or correct ${field}.consumerGroup`,
      }
    : {
        kind: 'fatal',
        reason: 'EventHubNotFound',
        advice: (field) => `it does not exist; create it, or correct ${field}.eventHubName`,
      }

export interface Doing {
  /** What failed, with its names: `reading partition 3 of event hub orders in NAMESPACE`. */
  readonly doing: string
  readonly right: Right
  /** The connector's own field in the manifest: `spec.delivery.deadLetter.eventHubs`. */
  readonly field: string
  /** Takes Secrets out of the service's text. */
  readonly withhold?: (text: string) => string
}

/** @returns a BridgeError; what is not known is retryable, reason `Unknown` */
export function translate(thrown: unknown, { doing, right, field, withhold = (text) => text }: Doing): BridgeError {
  if (thrown instanceof BridgeError) return thrown
  const meaning = meaningOf(thrown, right)
  const advice = typeof meaning?.advice === 'function' ? meaning.advice(field) : meaning?.advice
  return new BridgeError(`${doing}: ${advice ?? withhold(saidBy(thrown))}`, {
    kind: meaning?.kind ?? 'retryable',
    reason: meaning?.reason ?? 'Unknown',
    cause: thrown,
  })
}

function saidBy(thrown: unknown): string {
  const { message } = Object(thrown) as { readonly message?: unknown }
  return typeof message === 'string' && message !== '' ? message : 'failed'
}
