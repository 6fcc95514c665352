import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../../support/eventually.ts'
import { createTopic, withAdmin } from '../../support/kafka.ts'
import { sharedKafka, uniqueName } from '../../support/shared-servers.ts'
import { read } from './harness.ts'
import { produce } from './verify.ts'
import { numbered, owned, received, setUp } from './set-up.ts'

test('a missing topic is named, and the run ends for the engine to try again', async () => {
  const server = await sharedKafka()
  const topic = uniqueName('missing')
  await using reading = await read({ bootstrapServers: [server], topics: [topic] })
  await reading.finished
  assert.deepEqual([reading.errors[0]?.kind, reading.errors[0]?.reason], ['fatal', 'TopicNotFound'])
  assert.match(reading.errors[0]?.message ?? '', new RegExp(topic))
  assert.equal(reading.connections.at(-1)?.reason, 'TopicNotFound')
})

test('an unreachable broker is told at once', async () => {
  await using reading = await read({ bootstrapServers: ['127.0.0.1:1'], topics: ['t'] })
  await reading.finished
  assert.deepEqual([reading.errors[0]?.kind, reading.errors[0]?.reason], ['retryable', 'BrokerUnreachable'])
})

test('a source that stops in good order reports no error, though a fetch is on its way', async () => {
  const { start } = await setUp('quiet-stop', 3)
  for (let round = 0; round < 3; round += 1) {
    await using reading = await start({ fetch: { maxWait: '5s' } })
    await owned(reading, 3)
    await eventually('it is connected', () => reading.connections.length > 1)
    await reading.stop()
    assert.deepEqual(
      [...reading.errors, ...reading.connections].filter((error) => error !== undefined),
      [],
    )
  }
})

test('when one of two topics is deleted, it is named with what to do, and the other is read on', async () => {
  const { server, topic, start } = await setUp('gone')
  const other = `${topic}-other`
  await createTopic(server, other, { partitions: 1 })
  await using reading = await start({ topics: [topic, other], fetch: { maxWait: '200ms' } })
  await owned(reading, 2)
  await withAdmin(server, (admin) => admin.deleteTopics({ topics: [other] }))
  await eventually('it is told, and goes on to be', () => reading.errors.length >= 5)
  for (const { reason, message } of reading.errors.slice(-3))
    assert.match(
      `${reason} ${message}`,
      new RegExp(`^TopicNotFound reading topic "${other}" partition 0: .*create the topic`),
    )
  await produce(server, topic, numbered(3))
  await received(reading, 3)
  assert.equal(reading.connections.at(-1), undefined)
  await reading.stop()
})

test('two bridges of different topics in one consumer group both get their partitions', async () => {
  const { server, topic, start } = await setUp('shared-group', 2)
  const other = `${topic}-other`
  await createTopic(server, other, { partitions: 1 })
  await using first = await start()
  await owned(first, 2)
  await using second = await start({ topics: [other] })
  await owned(second, 1)
  await owned(first, 2)
  await produce(server, other, numbered(4))
  await produce(server, topic, numbered(4))
  await received(second, 4)
  await received(first, 4)
  assert.deepEqual(new Set(second.records.map(({ partition }) => partition)), new Set([`${other}/0`]))
  await Promise.all([first.stop(), second.stop()])
})
