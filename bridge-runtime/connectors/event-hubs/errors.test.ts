import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AmqpFailure, ConnectionLost, translate } from './errors.ts'

const doing = 'reading partition 3 in consumer group billing of event hub orders in example'
const field = 'spec.source.eventHubs'
const of = (thrown: unknown) => {
  const { kind, reason } = translate(thrown, { doing, right: 'Listen', field })
  return `${kind} ${reason}`
}
const failure = (condition: string, description = 'said so') => new AmqpFailure(condition, description)

test('conditions of the service keep their meaning', () => {
  assert.equal(of(failure('com.microsoft:server-busy')), 'retryable Throttled')
  assert.equal(of(failure('com.microsoft:timeout')), 'retryable ServiceUnavailable')
  assert.equal(of(failure('amqp:internal-error')), 'retryable ServiceUnavailable')
  assert.equal(of(failure('amqp:connection:forced')), 'retryable ServiceUnavailable')
  assert.equal(of(failure('amqp:link:detach-forced')), 'retryable ServiceUnavailable')
  assert.equal(of(failure('amqp:link:stolen')), 'retryable PartitionTaken')
  assert.equal(of(failure('amqp:resource-limit-exceeded')), 'retryable QuotaExceeded')
  assert.equal(of(failure('amqp:not-found')), 'fatal EventHubNotFound')
  assert.equal(of(failure('amqp:unauthorized-access')), 'fatal AuthenticationFailed')
  assert.equal(of(failure('com.microsoft:entity-disabled')), 'fatal EventHubDisabled')
  assert.equal(of(failure('com.microsoft:argument-out-of-range')), 'fatal InvalidRequest')
})

test('what the network says is retryable', () => {
  assert.equal(of(new ConnectionLost('sending: no answer within 10 s')), 'retryable EndpointUnreachable')
  for (const code of ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'CERT_HAS_EXPIRED'])
    assert.equal(of(Object.assign(new Error(code), { code })), 'retryable EndpointUnreachable')
})

test('what is not known is retryable', () => {
  assert.equal(of(failure('com.microsoft:something-new')), 'retryable Unknown')
  assert.equal(of('text'), 'retryable Unknown')
  assert.equal(of(undefined), 'retryable Unknown')
})

test('a missing right names the right, and the role that has it', () => {
  const claims = failure('amqp:unauthorized-access', "Unauthorized access. 'Send' claim(s) are required.")
  assert.match(
    translate(claims, { doing: 'writing', right: 'Send', field }).message,
    /lacks the right Send .*Azure Event Hubs Data Sender/,
  )
  assert.match(
    translate(claims, { doing: 'reading', right: 'Listen', field }).message,
    /lacks the right Listen .*Azure Event Hubs Data Receiver/,
  )
})

test('what is missing is named, the hub or the consumer group', () => {
  const text = "The messaging entity 'sb://example/orders/ConsumerGroups/billing' could not be found."
  const error = translate(failure('amqp:not-found', text), { doing, right: 'Listen', field })
  assert.equal(error.reason, 'ConsumerGroupNotFound')
  assert.match(error.message, /consumer group billing of event hub orders/)
})

test('a refused key does not repeat the token', () => {
  const { message } = translate(failure('amqp:unauthorized-access', 'sig=canary'), { doing, right: 'Listen', field })
  assert.doesNotMatch(message, /canary/)
})

test('a token that is expired when it arrives is the clock’s fault, not the key’s', () => {
  const { kind, reason, message } = translate(
    failure('amqp:unauthorized-access', 'ExpiredToken: The token is expired.'),
    { doing, right: 'Listen', field },
  )
  assert.equal(`${kind} ${reason}`, 'fatal AuthenticationFailed')
  assert.match(message, /check the clock/)
})

test('what a person has to correct is named by its field in this very bridge', () => {
  const letters = {
    doing: 'looking up event hub letters in example',
    right: 'Send',
    field: 'spec.delivery.deadLetter.eventHubs',
  } as const
  const messageOf = (condition: string, text: string): string => translate(failure(condition, text), letters).message
  assert.equal(
    messageOf('amqp:not-found', 'no such entity'),
    'looking up event hub letters in example: it does not exist; create it, or correct spec.delivery.deadLetter.eventHubs.eventHubName',
  )
  assert.match(
    messageOf('amqp:unauthorized-access', 'bad signature'),
    /check the connection string in the Secret that spec\.delivery\.deadLetter\.eventHubs\.auth\.connectionStringSecretRef names$/,
  )
  assert.match(
    translate(failure('amqp:not-found', 'consumer group billing'), { doing, right: 'Listen', field }).message,
    /the consumer group does not exist; create it, or correct spec\.source\.eventHubs\.consumerGroup$/,
  )
})
