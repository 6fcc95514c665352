import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { BridgeError } from '../../../bridge-runtime/core/errors.ts'
import { openKafkaSink } from '../../../bridge-runtime/connectors/kafka/sink.ts'
import { eventually } from '../../support/eventually.ts'
import { createTopic, startKafka } from '../../support/kafka.ts'
import { openSink, read, sinkConfig, testContext, write } from './harness.ts'

const password = 'canary-4711'
const server = await startKafka({ listeners: ['sasl', 'tls', 'mtls', 'sasl-tls'], users: { bridge: password } })
after(() => server.stop())
await createTopic(server.bootstrapServers, 'guarded', { partitions: 1 })
const client = await server.authority?.issue('client')

const ref = (key: string) => ({ name: 'kafka', key })
const secrets = {
  'kafka/user': 'bridge\n',
  'kafka/password': password,
  'kafka/wrong': 'canary-wrong',
  'kafka/ca': server.authority?.ca ?? '',
  'kafka/cert': client?.cert ?? '',
  'kafka/key': client?.key ?? '',
  'kafka/half': (client?.cert ?? '').slice(0, 300),
}
/** Each test's bridge is another one: what one has read the others have not. */
const ofItsOwn = () => testContext({}, secrets)
const signal = new AbortController().signal

const login = (mechanism: string, key = 'password') => ({
  mechanism,
  usernameSecretRef: ref('user'),
  passwordSecretRef: ref(key),
  allowPlaintext: mechanism === 'PLAIN',
})
const trust = { caSecretRef: ref('ca') }
const identity = { ...trust, certSecretRef: ref('cert'), keySecretRef: ref('key') }

type Listener = keyof typeof server.addresses
const at = (listener: Listener, security: object) => ({
  bootstrapServers: [server.addresses[listener] ?? ''],
  ...security,
})

const ways: readonly (readonly [string, Listener, object])[] = [
  ['TLS with a private authority', 'tls', { tls: trust }],
  ['TLS that trusts anybody', 'tls', { tls: { insecureSkipVerify: true } }],
  ['mutual TLS', 'mtls', { tls: identity }],
  ['PLAIN', 'sasl', { sasl: login('PLAIN') }],
  ['SCRAM-SHA-256', 'sasl', { sasl: login('SCRAM-SHA-256') }],
  ['SCRAM-SHA-512', 'sasl', { sasl: login('SCRAM-SHA-512') }],
  ['SCRAM-SHA-512 over TLS', 'sasl-tls', { tls: trust, sasl: login('SCRAM-SHA-512') }],
]

for (const [name, listener, security] of ways) {
  test(`records go in and out over ${name}`, async () => {
    const config = at(listener, security)
    const context = ofItsOwn()
    await using sink = await openSink({ ...config, topic: 'guarded' }, context)
    assert.equal((await write(sink, [{ value: Buffer.from(name) }])).size, 0)
    await using reading = await read({ ...config, topics: ['guarded'], consumerGroup: name }, { context })
    await eventually('it is read', () => reading.records.some(({ value }) => String(value) === name))
  })
}

const refusals: readonly (readonly [string, Listener, object, string])[] = [
  ['a wrong password with PLAIN', 'sasl', { sasl: login('PLAIN', 'wrong') }, 'AuthenticationFailed'],
  ['a wrong password with SCRAM-SHA-256', 'sasl', { sasl: login('SCRAM-SHA-256', 'wrong') }, 'AuthenticationFailed'],
  [
    'a wrong password with SCRAM-SHA-512',
    'sasl-tls',
    { tls: trust, sasl: login('SCRAM-SHA-512', 'wrong') },
    'AuthenticationFailed',
  ],
  ['an unknown authority', 'tls', { tls: {} }, 'TlsFailed'],
  ['no certificate where one is demanded', 'mtls', { tls: trust }, 'TlsFailed'],
  ['no TLS where it is demanded', 'tls', {}, 'TlsFailed'],
]

for (const [name, listener, security, reason] of refusals) {
  test(`${name} is fatal, named, and shows no secret`, async () => {
    const config = at(listener, security)
    const context = ofItsOwn()
    await using sink = await openKafkaSink(sinkConfig({ ...config, topic: 'guarded' }), context)
    await assert.rejects(sink.open(signal), (error) => {
      assert.ok(error instanceof BridgeError)
      assert.deepEqual([error.kind, error.reason], ['fatal', reason], error.message)
      assert.doesNotMatch(error.message, /canary/)
      return true
    })
    await using reading = await read({ ...config, topics: ['guarded'], consumerGroup: name }, { context })
    await reading.finished
    assert.equal(reading.errors[0]?.reason, reason)
    assert.equal(reading.connections.at(-1)?.reason, reason)
  })
}

test('TLS to a listener without is told as what it is', async () => {
  const config = { bootstrapServers: [server.addresses.sasl ?? ''], tls: trust, topic: 'guarded' }
  await using sink = await openKafkaSink(sinkConfig(config), ofItsOwn())
  await assert.rejects(sink.open(signal), (error) => {
    assert.ok(error instanceof BridgeError)
    assert.equal(error.reason, 'TlsFailed')
    assert.match(error.message, /the listener does not speak TLS, or was closed: remove tls/)
    return true
  })
})

test('a certificate that is cut short is told by its field and Secret, before a broker is asked', async () => {
  const config = { ...at('mtls', { tls: { ...identity, certSecretRef: ref('half') } }), topics: ['guarded'] }
  await using reading = await read({ ...config, consumerGroup: 'half' }, { context: ofItsOwn() })
  await reading.finished
  assert.deepEqual([reading.errors[0]?.kind, reading.errors[0]?.reason], ['fatal', 'InvalidConfiguration'])
  assert.match(reading.errors[0]?.message ?? '', /spec\.source\.kafka\.tls\.certSecretRef: Secret "kafka" key "half"/)
})
