import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Metadata, status } from '@grpc/grpc-js'
import { BridgeError } from '../../core/errors.ts'
import { failuresById } from './error-info.ts'
import { translate } from './errors.ts'

const doing = {
  permission: 'pubsub.topics.publish',
  role: 'roles/pubsub.publisher',
  target: 'topic projects/p/topics/orders',
}
const of = (code: number, details = 'what the service says'): BridgeError => translate({ code, details }, doing)

test('each status says whether it may pass, in a stable word', () => {
  const expected: readonly (readonly [number, string, string])[] = [
    [status.UNAVAILABLE, 'retryable', 'EndpointUnreachable'],
    [status.DEADLINE_EXCEEDED, 'retryable', 'Timeout'],
    [status.ABORTED, 'retryable', 'ServiceUnavailable'],
    [status.INTERNAL, 'retryable', 'ServiceUnavailable'],
    [status.UNKNOWN, 'retryable', 'ServiceUnavailable'],
    [status.RESOURCE_EXHAUSTED, 'retryable', 'Throttled'],
    [status.CANCELLED, 'retryable', 'Cancelled'],
    [status.PERMISSION_DENIED, 'fatal', 'AccessDenied'],
    [status.UNAUTHENTICATED, 'fatal', 'AuthenticationFailed'],
    [status.NOT_FOUND, 'fatal', 'TopicNotFound'],
    [status.INVALID_ARGUMENT, 'fatal', 'InvalidRequest'],
    [status.FAILED_PRECONDITION, 'fatal', 'FailedPrecondition'],
    [status.DATA_LOSS, 'retryable', 'Unknown'],
  ]
  for (const [code, kind, reason] of expected) assert.deepEqual([of(code).kind, of(code).reason], [kind, reason])
})

test('a missing right is named with the permission and a role that has it', () => {
  assert.equal(
    of(status.PERMISSION_DENIED).message,
    'pubsub.topics.publish on topic projects/p/topics/orders: the credentials lack pubsub.topics.publish; grant roles/pubsub.publisher on it (a project without the Pub/Sub API answers so, too)',
  )
})

test('what a refusal of credentials says is left out: it may repeat them', () => {
  assert.ok(!of(status.UNAUTHENTICATED, 'bad token ya29.secret').message.includes('secret'))
  const plugin = of(status.UNAVAILABLE, 'Getting metadata from plugin failed with error: invalid_grant: secret')
  assert.deepEqual([plugin.kind, plugin.reason], ['fatal', 'AuthenticationFailed'])
  assert.ok(!plugin.message.includes('secret'))
})

test('no credentials at all is a failed authentication, not an unknown error', () => {
  const error = translate(new Error('Could not load the default credentials. Browse to …'), doing)
  assert.deepEqual([error.kind, error.reason], ['fatal', 'AuthenticationFailed'])
})

const field = (number: number, value: Buffer): Buffer =>
  Buffer.concat([Buffer.from([number * 8 + 2]), varint(value.length), value])
const varint = (value: number): Buffer =>
  value < 128 ? Buffer.from([value]) : Buffer.from([(value % 128) + 128, Math.floor(value / 128)])

function withDetails(details: Buffer): BridgeError {
  const metadata = new Metadata()
  metadata.set('grpc-status-details-bin', details)
  return translate(Object.assign(new Error('failed'), { code: status.FAILED_PRECONDITION, metadata }), doing)
}

test('what became of each acknowledgement is read from the details of the status', () => {
  const entry = (id: string, what: string): Buffer =>
    field(3, Buffer.concat([field(1, Buffer.from(id)), field(2, Buffer.from(what))]))
  const info = Buffer.concat([
    field(1, Buffer.from('EXACTLY_ONCE_ACKID_FAILURE')),
    field(2, Buffer.from('pubsub.googleapis.com')),
    entry('a'.repeat(180), 'PERMANENT_FAILURE_INVALID_ACK_ID'),
    entry('b', 'TRANSIENT_FAILURE_UNORDERED_ACK_ID'),
  ])
  const any = Buffer.concat([field(1, Buffer.from('type.googleapis.com/google.rpc.ErrorInfo')), field(2, info)])
  const details = Buffer.concat([Buffer.from([8, 9]), field(2, Buffer.from('text')), field(3, any)])
  assert.deepEqual(
    [...failuresById(withDetails(details))],
    [
      ['a'.repeat(180), 'PERMANENT_FAILURE_INVALID_ACK_ID'],
      ['b', 'TRANSIENT_FAILURE_UNORDERED_ACK_ID'],
    ],
  )
  for (let length = 0; length < details.length; length += 1) failuresById(withDetails(details.subarray(0, length)))
  assert.equal(failuresById(of(status.UNAVAILABLE)).size, 0)
})

test('what a person has to correct is named by its field in this very bridge', () => {
  const letters = { ...doing, field: 'spec.delivery.deadLetter.pubsub' }
  const messageOf = (code: number): string => translate({ code, details: 'says the service' }, letters).message
  assert.equal(
    messageOf(status.NOT_FOUND),
    'pubsub.topics.publish on topic projects/p/topics/orders: it does not exist; create it, or correct spec.delivery.deadLetter.pubsub.topic',
  )
  assert.match(
    messageOf(status.UNAUTHENTICATED),
    /check the Secret that spec\.delivery\.deadLetter\.pubsub\.auth\.credentialsSecretRef names, or the workload identity$/,
  )
  assert.match(
    translate(new Error('Could not load the default credentials.'), letters).message,
    /set spec\.delivery\.deadLetter\.pubsub\.auth\.credentialsSecretRef, or give/,
  )
})
