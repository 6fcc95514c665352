import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { createTopic } from '../support/kafka.ts'
import { pythonWithClients } from '../support/python.ts'
import { runCommand } from '../support/run-command.ts'
import { sharedKafka, uniqueName } from '../support/shared-servers.ts'
import { openSink, read, write } from '../integration/kafka/harness.ts'

const longMax = 9_223_372_036_854_775_807n
/** Kafka 4 refuses times of more than an hour ahead, unless the topic takes them. */
const anyTime = { 'message.timestamp.after.max.ms': String(longMax) }
/** All that a number can hold, and the greatest, in an order that has large steps both ways. */
const times = [1_764_000_000_123n, longMax, 1_764_000_000_124n, -1n, 2n ** 53n, 1n, 2n ** 62n, 1_764_000_000_125n]

/** Milliseconds. */
const longest = 60_000

async function ask(verb: 'produce' | 'read', server: string, topic: string): Promise<string[]> {
  const program = join(import.meta.dirname, '../support/witness/times.py')
  const args = [program, verb, server, topic, ...times.map(String)]
  return JSON.parse(await runCommand(await pythonWithClients(), args, { timeout: longest })) as string[]
}

test('Kafka records of every time reach another topic with it, beside records of sound times', async () => {
  const server = await sharedKafka()
  const [from, to] = [uniqueName('times'), uniqueName('times-copy')]
  for (const topic of [from, to]) await createTopic(server, topic, { partitions: 1, config: anyTime })
  await ask('produce', server, from)
  await using reading = await read({ bootstrapServers: [server], topics: [from], consumerGroup: from })
  await eventually('all are read', () => reading.records.length === times.length)
  await reading.stop()
  await using sink = await openSink({ bootstrapServers: [server], topic: to })
  assert.deepEqual(await write(sink, reading.records), new Map())
  assert.deepEqual(await ask('read', server, to), times.map(String))
})
