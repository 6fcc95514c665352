/** A server of its own: a quota counts for all clients of a name, and the tests of a name share one. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { Admin } from '@platformatic/kafka'
import { eventually } from '../../support/eventually.ts'
import { createTopic, startKafka } from '../../support/kafka.ts'
import { openSink, read, testContext, write } from './harness.ts'

test('a broker that slows the bridge down by a quota is told, for sink and source', async (t) => {
  const server = await startKafka()
  t.after(() => server.stop())
  const bootstrapServers = [server.bootstrapServers]
  await createTopic(server.bootstrapServers, 'limited', { partitions: 1 })
  const admin = new Admin({ clientId: 'quota', bootstrapBrokers: bootstrapServers })
  await admin.alterClientQuotas({
    entries: [
      {
        entities: [{ entityType: 'client-id', entityName: 'streambridge.test.bridge' }],
        ops: (['producer_byte_rate', 'consumer_byte_rate'] as const).map((key) => ({
          key,
          value: 50_000,
          remove: false,
        })),
      },
    ],
    validateOnly: false,
  })
  await admin.close()
  const told = { sink: 0, source: 0 }
  const count = (role: keyof typeof told) => ({ throttled: () => void (told[role] += 1) })
  await using sink = await openSink({ bootstrapServers, topic: 'limited' }, testContext(count('sink')))
  await eventually('the sink is slowed down', async () => {
    assert.equal((await write(sink, [{ value: randomBytes(100_000) }])).size, 0)
    return told.sink > 0
  })
  const context = testContext(count('source'))
  await using reading = await read({ bootstrapServers, topics: ['limited'], consumerGroup: 'limited' }, { context })
  await eventually('the source is slowed down', () => told.source > 0)
  await reading.stop()
})
