import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AuthenticationError,
  MultipleErrors,
  NetworkError,
  ProtocolError,
  ResponseError,
  TimeoutError,
  UserError,
} from '@platformatic/kafka'
import { BridgeError } from '../../core/errors.ts'
import { answerError, protocolError, translate } from './errors.ts'

const meaning = (thrown: unknown): string => {
  const { kind, reason } = translate(thrown, 'testing')
  return `${kind} ${reason}`
}

const system = (code: string): Error => Object.assign(new Error('low level'), { code })
const response = (code: number): Error => new ResponseError(3, 12, { '/topics/0': [code, null] }, {})

test('every error of the client has a meaning', () => {
  const table: readonly (readonly [unknown, string])[] = [
    [
      new NetworkError('Connection to b:9092 failed.', { cause: system('ECONNREFUSED') }),
      'retryable BrokerUnreachable',
    ],
    [new NetworkError('Connection closed'), 'retryable BrokerUnreachable'],
    [new NetworkError('failed', { cause: system('ENOTFOUND') }), 'retryable BrokerUnreachable'],
    [new NetworkError('failed', { cause: system('DEPTH_ZERO_SELF_SIGNED_CERT') }), 'fatal TlsFailed'],
    [new NetworkError('failed', { cause: system('ERR_TLS_CERT_ALTNAME_INVALID') }), 'fatal TlsFailed'],
    [new UserError('Broker requires TLS.'), 'fatal TlsFailed'],
    [new TimeoutError('Request timed out'), 'retryable BrokerUnreachable'],
    [
      new NetworkError('x', { cause: new AuthenticationError('SASL authentication failed.') }),
      'fatal AuthenticationFailed',
    ],
    [new NetworkError('x', { cause: response(58) }), 'fatal AuthenticationFailed'],
    [new NetworkError('x', { cause: response(33) }), 'fatal AuthenticationFailed'],
    [new ProtocolError('UNKNOWN_TOPIC_OR_PARTITION'), 'fatal TopicNotFound'],
    [response(3), 'fatal TopicNotFound'],
    [response(29), 'fatal AuthorizationFailed'],
    [response(30), 'fatal AuthorizationFailed'],
    [response(31), 'fatal AuthorizationFailed'],
    [response(10), 'poison RecordTooLarge'],
    [response(6), 'retryable BrokerError'],
    [response(14), 'retryable BrokerError'],
    [response(19), 'retryable NotEnoughReplicas'],
    [response(89), 'retryable Throttled'],
    [
      new MultipleErrors('all failed', [new NetworkError('a', { cause: system('ETIMEDOUT') })]),
      'retryable BrokerUnreachable',
    ],
    ['a string', 'retryable BrokerUnreachable'],
  ]
  for (const [thrown, expected] of table) assert.equal(meaning(thrown), expected, String(thrown))
})

test('a time-out is known by its class, although its code says network', () => {
  const timeout = new TimeoutError('Request timed out')
  assert.equal(timeout.code, NetworkError.code)
  assert.match(translate(timeout, 'fetching').message, /Request timed out/)
})

test('an error says what was done to what, and what to do', () => {
  const { message } = answerError('UNKNOWN_TOPIC_OR_PARTITION', 'writing to topic "orders"')
  assert.match(message, /topic "orders"/)
  assert.match(message, /create the topic/)
})

test("a broker's own text is not repeated, as it may quote a credential", () => {
  const thrown = new NetworkError('x', {
    cause: new ResponseError(36, 2, { '/': [58, 'password hunter2 is wrong'] }, {}),
  })
  assert.doesNotMatch(translate(thrown, 'connecting').message, /hunter2/)
})

test('a translated error passes as it is', () => {
  const error = new BridgeError('known', { kind: 'fatal', reason: 'DataGap' })
  assert.equal(translate(error, 'anything'), error)
  assert.equal(protocolError(translate(response(27), 'joining')), 'REBALANCE_IN_PROGRESS')
})
