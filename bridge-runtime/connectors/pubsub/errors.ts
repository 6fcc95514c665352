/** Translates gRPC statuses, once. */
import { status } from '@grpc/grpc-js'
import type { PubSubReason } from '../../../crds/kit/reasons/pubsub.ts'
import { BridgeError, type BridgeErrorOptions, type ErrorKind } from '../../core/errors.ts'

interface Meaning {
  readonly kind: ErrorKind
  readonly reason: PubSubReason
  /** What a person does about it. Where it is given the service's own text is left out: it may repeat credentials. */
  readonly advice?: string
}

/** What a call does, for its error. */
export interface Doing {
  /** The permission it takes: `pubsub.topics.publish`. */
  readonly permission: string
  /** A role that has it: `roles/pubsub.publisher`. */
  readonly role: string
  /** `topic projects/p/topics/orders`. */
  readonly target: string
  /** The address, where it is not the service's own. */
  readonly endpoint?: string | undefined
  /** The connector's own field in the manifest: `spec.delivery.deadLetter.pubsub`. The connection adds it. */
  readonly field?: string | undefined
  /** Takes Secrets out of the service's text. */
  readonly withhold?: ((text: string) => string) | undefined
}

const unavailable: Meaning = { kind: 'retryable', reason: 'ServiceUnavailable' }
const refused = { kind: 'fatal', reason: 'AuthenticationFailed' } as const

const meanings: Readonly<Record<number, Meaning>> = {
  [status.UNAVAILABLE]: { kind: 'retryable', reason: 'EndpointUnreachable' },
  [status.DEADLINE_EXCEEDED]: { kind: 'retryable', reason: 'Timeout' },
  [status.RESOURCE_EXHAUSTED]: { kind: 'retryable', reason: 'Throttled' },
  [status.ABORTED]: unavailable,
  [status.INTERNAL]: unavailable,
  [status.UNKNOWN]: unavailable,
  [status.CANCELLED]: { kind: 'retryable', reason: 'Cancelled' },
  [status.FAILED_PRECONDITION]: { kind: 'fatal', reason: 'FailedPrecondition' },
  [status.INVALID_ARGUMENT]: { kind: 'fatal', reason: 'InvalidRequest' },
  [status.OUT_OF_RANGE]: { kind: 'fatal', reason: 'InvalidRequest' },
  [status.UNIMPLEMENTED]: { kind: 'fatal', reason: 'InvalidRequest' },
}

/** gRPC puts a failure to get a token, or to make one, into statuses of its own; the text is all that tells it. */
const noCredentials =
  /could not load the default credentials|getting metadata from plugin failed|invalid_grant|unable to detect a project/i

/** How gRPC says that it did not read an answer. */
const tooLarge = /larger than (?:max \((\d+) vs )?(\d+)/i

function meaningOf(code: status, text: string, doing: Doing): Meaning | undefined {
  const { permission, role, target } = doing
  if (noCredentials.test(text))
    return {
      ...refused,
      advice: `no usable credentials; set ${fieldOf(doing, credentials)}, or give the ServiceAccount a workload identity`,
    }
  const refusal = code === status.RESOURCE_EXHAUSTED ? tooLarge.exec(text) : null
  if (refusal !== null)
    return {
      kind: 'fatal',
      reason: 'AnswerTooLarge',
      advice: `an answer of ${refusal[1] ?? 'more'} bytes is larger than ${refusal[2]}, the largest that the service gives: is the endpoint what it is taken for?`,
    }
  if (code === status.PERMISSION_DENIED)
    return {
      kind: 'fatal',
      reason: 'AccessDenied',
      advice: `the credentials lack ${permission}; grant ${role} on it (a project without the Pub/Sub API answers so, too)`,
    }
  if (code === status.UNAUTHENTICATED)
    return {
      ...refused,
      advice: `the service does not accept the credentials; check the Secret that ${fieldOf(doing, credentials)} names, or the workload identity`,
    }
  if (code === status.NOT_FOUND)
    return target.startsWith('topic ')
      ? {
          kind: 'fatal',
          reason: 'TopicNotFound',
          advice: `it does not exist; create it, or correct ${fieldOf(doing, 'topic')}`,
        }
      : // Its name may be the bridge's own.
        { kind: 'fatal', reason: 'SubscriptionNotFound', advice: 'it does not exist; create it' }
  return meanings[code]
}

const credentials = 'auth.credentialsSecretRef'

const fieldOf = ({ field }: Doing, name: string): string => (field === undefined ? name : `${field}.${name}`)

/** A status that carries details for those who know them. They are kept aside: whoever prints the error does not print them. */
export class DetailedFailure extends BridgeError {
  readonly #details: Uint8Array | undefined

  constructor(message: string, options: BridgeErrorOptions, details: Uint8Array | undefined) {
    super(message, options)
    this.#details = details
  }

  /** A google.rpc.Status, encoded. */
  get details(): Uint8Array | undefined {
    return this.#details
  }
}

/** @returns a BridgeError; what is not known is retryable, reason `Unknown` */
export function translate(thrown: unknown, doing: Doing): BridgeError {
  if (thrown instanceof BridgeError) return thrown
  const { code, details, message: said } = Object(thrown) as Record<string, unknown>
  const text = [details, said].find((one): one is string => typeof one === 'string' && one !== '') ?? ''
  const meaning = meaningOf(Number(code), text, doing)
  const { withhold = (whole: string) => whole } = doing
  const place = doing.endpoint === undefined ? doing.target : `${doing.target} at ${doing.endpoint}`
  const options = { kind: meaning?.kind ?? 'retryable', reason: meaning?.reason ?? 'Unknown', cause: thrown } as const
  const message = `${doing.permission} on ${place}: ${meaning?.advice ?? withhold(text)}`
  return new DetailedFailure(message, options, detailsOf(thrown))
}

function detailsOf(thrown: unknown): Uint8Array | undefined {
  const { metadata } = Object(thrown) as { readonly metadata?: { get?(name: string): unknown } }
  const found = metadata?.get?.('grpc-status-details-bin')
  const [bytes] = Array.isArray(found) ? (found as unknown[]) : []
  return bytes instanceof Uint8Array ? bytes : undefined
}

/** The gRPC status of an error that was translated; undefined when it had none. */
export function grpcStatus(error: BridgeError): number | undefined {
  const code = (Object(error.cause) as Record<string, unknown>)['code']
  return typeof code === 'number' ? code : undefined
}
