/** Translates the SDK's errors, once. */
import type { KinesisReason } from '../../../crds/kit/reasons/kinesis.ts'
import { BridgeError, type ErrorKind } from '../../core/errors.ts'
import { isNetworkCode } from '../requests/network-code.ts'

interface Meaning {
  readonly kind: ErrorKind
  readonly reason: KinesisReason
  /** What a person does about it. Where it is given the service's own text is left out: it may repeat credentials. */
  readonly advice?: string
}

const throttled: Meaning = { kind: 'retryable', reason: 'Throttled' }
const unavailable: Meaning = { kind: 'retryable', reason: 'ServiceUnavailable' }
const unreachable: Meaning = { kind: 'retryable', reason: 'EndpointUnreachable' }
const refused: Meaning = {
  kind: 'fatal',
  reason: 'AuthenticationFailed',
  advice: 'the service does not accept the credentials; check the Secret that auth names, or the workload identity',
}
const key: Meaning = { kind: 'fatal', reason: 'EncryptionKeyUnusable' }
const invalid: Meaning = { kind: 'fatal', reason: 'InvalidRequest' }

const meanings: Readonly<Record<string, Meaning>> = {
  ProvisionedThroughputExceededException: throttled,
  LimitExceededException: throttled,
  ThrottlingException: throttled,
  Throttling: throttled,
  KMSThrottlingException: throttled,
  InternalFailure: unavailable,
  InternalFailureException: unavailable,
  ServiceUnavailable: unavailable,
  ResourceInUseException: { kind: 'retryable', reason: 'StreamNotActive' },
  ResourceNotFoundException: { kind: 'fatal', reason: 'StreamNotFound', advice: 'it does not exist; create it' },
  AccessDeniedException: { kind: 'fatal', reason: 'AccessDenied', advice: 'the credentials do not allow this action' },
  CredentialsProviderError: {
    kind: 'fatal',
    reason: 'AuthenticationFailed',
    advice: 'no credentials were found; set auth, or give the ServiceAccount a workload identity',
  },
  UnrecognizedClientException: refused,
  InvalidClientTokenId: refused,
  InvalidSignatureException: refused,
  SignatureDoesNotMatch: refused,
  IncompleteSignature: refused,
  IncompleteSignatureException: refused,
  MissingAuthenticationTokenException: refused,
  ExpiredTokenException: { ...refused, advice: 'the session token has expired' },
  KMSAccessDeniedException: key,
  KMSDisabledException: key,
  KMSInvalidStateException: key,
  KMSNotFoundException: key,
  KMSOptInRequired: key,
  InvalidArgumentException: invalid,
  ValidationException: invalid,
  TimeoutError: unreachable,
  AnswerTooLarge: { kind: 'fatal', reason: 'AnswerTooLarge' },
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

function meaningOf(name: string, code: string, status: number): Meaning | undefined {
  const known = meanings[name]
  if (known !== undefined) return known
  if (isNetworkCode(code)) return unreachable
  return status >= 500 ? unavailable : undefined
}

/**
 * @param doing the IAM action and the stream, e.g. `kinesis:GetRecords on stream orders`
 * @param withhold takes Secrets out of the service's text
 * @returns a BridgeError; what is not known is retryable, reason `Unknown`
 */
export function translate(thrown: unknown, doing: string, withhold = (text: string) => text): BridgeError {
  if (thrown instanceof BridgeError) return thrown
  const { name, code, message, $metadata } = Object(thrown) as Record<string, unknown>
  const status = Number((Object($metadata) as Record<string, unknown>)['httpStatusCode'] ?? 0)
  const meaning = meaningOf(textOf(name), textOf(code), status)
  const text = meaning?.advice ?? withhold(textOf(message) || textOf(code) || textOf(name))
  return new BridgeError(`${doing}: ${text}`, {
    kind: meaning?.kind ?? 'retryable',
    reason: meaning?.reason ?? 'Unknown',
    cause: thrown,
  })
}

/** The error code of one entry of a PutRecords answer. */
export function translateEntry(code: string, message: string, doing: string): BridgeError {
  // The only thing about a single entry that the service can find invalid is the record itself.
  if (meanings[code] === invalid) return rejected(`${doing}: ${message}`)
  return translate({ name: code, message }, doing)
}

export const rejected = (message: string): BridgeError =>
  new BridgeError(message, { kind: 'poison', reason: 'RecordRejected' })

/** The SDK's name of an error that was translated. */
export const sdkName = (error: BridgeError): string => textOf((Object(error.cause) as Record<string, unknown>)['name'])
