import assert from 'node:assert/strict'
import test from 'node:test'
import {
  AccessDeniedException,
  ProvisionedThroughputExceededException,
  ResourceInUseException,
  ResourceNotFoundException,
} from '@aws-sdk/client-kinesis'
import { translate, translateEntry } from './errors.ts'

const metadata = { $metadata: {} }
const of = (thrown: unknown) => {
  const { kind, reason } = translate(thrown, 'kinesis:GetRecords on stream orders')
  return `${kind} ${reason}`
}
const named = (name: string, message = '', more: object = {}) => Object.assign(new Error(message), { name, ...more })

test('errors of the SDK keep their meaning', () => {
  const throughput = new ProvisionedThroughputExceededException({ message: 'rate', ...metadata })
  assert.equal(of(throughput), 'retryable Throttled')
  assert.equal(of(new ResourceNotFoundException({ message: 'gone', ...metadata })), 'fatal StreamNotFound')
  assert.equal(of(new ResourceInUseException({ message: 'busy', ...metadata })), 'retryable StreamNotActive')
  assert.equal(of(new AccessDeniedException({ message: 'no', ...metadata })), 'fatal AccessDenied')
  assert.equal(of(named('UnrecognizedClientException')), 'fatal AuthenticationFailed')
  assert.equal(of(named('CredentialsProviderError')), 'fatal AuthenticationFailed')
  assert.equal(of(named('KMSDisabledException')), 'fatal EncryptionKeyUnusable')
  assert.equal(of(named('Error', 'connect', { code: 'ECONNREFUSED' })), 'retryable EndpointUnreachable')
  assert.equal(of(named('Error', 'getaddrinfo', { code: 'ENOTFOUND' })), 'retryable EndpointUnreachable')
  assert.equal(of(named('TimeoutError')), 'retryable EndpointUnreachable')
  assert.equal(of(named('Strange', '', { $metadata: { httpStatusCode: 503 } })), 'retryable ServiceUnavailable')
})

test('what is not known is retryable', () => {
  assert.equal(of(named('SomethingNew')), 'retryable Unknown')
  assert.equal(of('text'), 'retryable Unknown')
  assert.equal(of(undefined), 'retryable Unknown')
})

test('a missing permission names the action', () => {
  const { message } = translate(
    new AccessDeniedException({ message: 'no', ...metadata }),
    'kinesis:PutRecords on stream orders',
  )
  assert.equal(message, 'kinesis:PutRecords on stream orders: the credentials do not allow this action')
})

test('a refused signature does not repeat the request, which holds the session token', () => {
  const { message } = translate(named('InvalidSignatureException', 'x-amz-security-token:canary'), 'kinesis:GetRecords')
  assert.doesNotMatch(message, /canary/)
})

test('a single entry that is invalid is poison, one that failed is not', () => {
  assert.equal(translateEntry('InvalidArgumentException', 'too large', 'put').kind, 'poison')
  assert.equal(translateEntry('InternalFailure', 'sorry', 'put').kind, 'retryable')
})
