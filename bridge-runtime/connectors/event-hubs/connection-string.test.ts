import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BridgeError } from '../../core/errors.ts'
import { verify } from '../../../test/emulators/event-hubs/sas.ts'
import { readConnectionString, signatureOf } from './connection-string.ts'

const expected = {
  fullyQualifiedNamespace: 'example.servicebus.windows.net',
  eventHubName: 'orders',
  where: 'Secret azure, key cs,',
  field: 'spec.sink.eventHubs',
}
const whole =
  'Endpoint=sb://example.servicebus.windows.net/;SharedAccessKeyName=bridge;SharedAccessKey=canary+/=;EntityPath=orders'

function refusal(text: string): BridgeError {
  try {
    readConnectionString(text, expected)
  } catch (thrown) {
    if (thrown instanceof BridgeError) return thrown
  }
  throw new assert.AssertionError({ message: 'it was read' })
}

test('a connection string says where the namespace is and with which key', () => {
  assert.deepEqual(readConnectionString(`${whole}\n`, expected), {
    host: 'example.servicebus.windows.net',
    port: 5671,
    tls: true,
    endpoint: 'sb://example.servicebus.windows.net/',
    keyName: 'bridge',
    key: 'canary+/=',
  })
})

test('an emulator is reached without TLS, at the port it names', () => {
  const text = 'Endpoint=sb://localhost:5673;SharedAccessKeyName=a;SharedAccessKey=b;UseDevelopmentEmulator=true'
  const { host, port, tls, endpoint } = readConnectionString(text, {
    ...expected,
    fullyQualifiedNamespace: 'localhost',
  })
  assert.deepEqual([host, port, tls, endpoint], ['localhost', 5673, false, 'sb://localhost:5673/'])
})

test('what contradicts the configuration is told by the name in the configuration alone: the other may be a key', () => {
  assert.match(
    refusal(whole.replace('example', 'other')).message,
    /Secret azure, key cs, is for another namespace than spec\.sink\.eventHubs\.fullyQualifiedNamespace, example\.servicebus\.windows\.net; take/,
  )
  assert.match(
    refusal(whole.replace('orders', 'audit')).message,
    /another event hub than spec\.sink\.eventHubs\.eventHubName, orders; take/,
  )
})

test('a wrong separator is told, and the key that it makes a part of the host or the entity is not', () => {
  assert.match(refusal(whole.replaceAll(';', ',')).message, /are all parts separated by semicolons\?/)
  assert.match(refusal(whole.replace('/;', ',')).message, /are all parts separated by semicolons\?/)
  assert.match(refusal(`${whole},SharedAccessKey=canary`).message, /EntityPath of another event hub/)
})

test('a key with a line break or another character that none has is told by its position', () => {
  assert.match(
    refusal(whole.replace('canary', 'cana\nry')).message,
    /SharedAccessKey that has a line break at position 5 of/,
  )
})

test('what is missing is named', () => {
  assert.match(refusal('').message, /has no Endpoint/)
  assert.match(refusal('Endpoint=sb://example.servicebus.windows.net/').message, /has no SharedAccessKeyName/)
  assert.match(refusal(whole.replace(/SharedAccessKey=[^;]*/, '')).message, /has no SharedAccessKey;/)
  assert.match(refusal(whole.replace('sb://', 'https://')).message, /not sb:\/\/HOST/)
})

test('no message repeats the key, and every one needs a person', () => {
  for (const text of [
    whole.replace('example', 'x'),
    whole.replace('orders', 'x'),
    whole.replaceAll(';', ','),
    whole.replaceAll(';', '\n'),
    `${whole},SharedAccessKey=canary`,
    whole.replace('Endpoint', 'E'),
    'canary',
  ]) {
    const { message, stack, kind, reason } = refusal(text)
    assert.ok(!`${message}${stack}`.includes('canary'))
    assert.deepEqual([kind, reason], ['fatal', 'InvalidConnectionString'])
  }
})

test('a signature is one that a service which knows the key accepts, until it expires', () => {
  const access = readConnectionString(whole, expected)
  const token = signatureOf(`${access.endpoint}orders`, 2_000, access)
  const keys = new Map([['bridge', 'canary+/=']])
  const grant = verify(token, `${access.endpoint}orders/Partitions/0`, { keys, now: 1_999_000 })
  assert.equal(typeof grant, 'object')
  assert.match(String(verify(token, access.endpoint, { keys, now: 2_001_000 })), /expired/)
})

test('the name of an event hub is the same in any case, as the service has it', () => {
  assert.equal(
    readConnectionString(whole.replace('EntityPath=orders', 'entitypath=Orders'), expected).keyName,
    'bridge',
  )
})
