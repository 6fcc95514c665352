import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTopic } from '../../support/kafka.ts'
import { sharedKafka, uniqueName } from '../../support/shared-servers.ts'
import { openSink, write } from './harness.ts'
import { consumeAll } from './verify.ts'

test('a time that the topic does not take fails its own record, and the others are stored', async () => {
  const server = await sharedKafka()
  const topic = uniqueName('times-refused')
  await createTopic(server, topic, { partitions: 3, config: { 'message.timestamp.after.max.ms': '3600000' } })
  await using sink = await openSink({ bootstrapServers: [server], topic })
  const records = Array.from({ length: 30 }, (_, n) => ({
    key: Buffer.from(`k${n}`),
    timestamp: n === 11 ? 2 ** 63 : 1_764_000_000_000 + n,
  }))
  const failures = await write(sink, records)
  assert.deepEqual(
    [...failures].map(([index, { kind, reason }]) => [index, kind, reason]),
    [[11, 'poison', 'InvalidRecord']],
  )
  assert.equal((await consumeAll(server, topic, 29)).length, 29)
})
