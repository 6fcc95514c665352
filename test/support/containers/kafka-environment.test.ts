import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kafkaEnvironment } from './kafka-environment.ts'

test('the properties of a broker become the variables that its image reads', () => {
  const text = 'node.id=1\nlistener.name.sasl.scram-sha-256.sasl.jaas.config=a required user_b="c=d";\nmy_own=\n'
  assert.deepEqual(kafkaEnvironment(text), {
    KAFKA_NODE_ID: '1',
    KAFKA_LISTENER_NAME_SASL_SCRAM___SHA___256_SASL_JAAS_CONFIG: 'a required user_b="c=d";',
    KAFKA_MY__OWN: '',
  })
})
