/** Examples with something of their own to see. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { openEnd } from '../support/ends/brokers.ts'
import { eventually } from '../support/eventually.ts'
import { createTopic, kafkaClient } from '../support/kafka.ts'
import { pubsubProject, withPubsub } from '../support/pubsub.ts'
import { sharedKafka, sharedPubsub, uniqueName } from '../support/shared-servers.ts'
import { temporaryDirectory } from '../support/server-process.ts'
import { testRun } from '../support/verifier.ts'
import { endsOf } from './copies.ts'
import { addressOf, pointedAt, secretsOf } from './example.ts'
import { fileOf } from './lines.ts'
import { allArrived, assertCopied, bridgeOf, stopped, type Trial } from './stage.ts'

/** It makes its own subscription, by the name that the comment says, and copies what is published from then on. */
export const ownSubscription: Trial = async (t, example) => {
  const { source, sink, run, servers } = await endsOf(t, example)
  const name = `streambridge.default.${example.name}`
  t.after(async () => withPubsub(await sharedPubsub(), (client) => client.subscription(name).delete()))
  const { subscription: _given, ...address } = servers.source ?? {}
  const manifests = pointedAt(example, { ...servers, source: { ...address, topic: source.stream } })
  const bridge = await bridgeOf(t, manifests)()
  await withPubsub(await sharedPubsub(), async (client) => {
    const [{ topic, enableMessageOrdering }] = await client.subscription(name).getMetadata()
    assert.deepEqual([topic, enableMessageOrdering], [`projects/${pubsubProject}/topics/${source.stream}`, true])
  })
  await source.send(run.take(500))
  await allArrived(run, sink)
  await stopped(bridge)
  assertCopied(t, run)
}

/** What comes after the start is in the file as JSON lines, and nothing from before. */
export const latestIntoFile: Trial = async (t, example) => {
  const source = await openEnd('kinesis')
  t.after(() => source[Symbol.asyncDispose]())
  const path = join(temporaryDirectory('example'), 'access-log.jsonl')
  const manifests = pointedAt(example, {
    source: addressOf(source, 'source'),
    sink: { path },
    secrets: secretsOf([source]),
  })
  const run = testRun({ run: source.stream, keys: 20 })
  await source.send(testRun({ run: source.stream, keys: 5, bytes: 100 }).take(100))
  const bridge = await bridgeOf(t, manifests)()
  await eventually('it reads every shard', async () => (await bridge.report()).partitions.length === 16)
  await source.send(run.take(500))
  await allArrived(run, fileOf(path))
  await stopped(bridge)
  assertCopied(t, run)
}

/** Most bytes of a record of both topics: more than Kinesis takes. */
const config = { 'max.message.bytes': String(4 * 1024 * 1024) }

/** The record that is too large is in a topic of its own, with its origin, the reason and the original bytes; the others go on. */
export const setAside: Trial = async (t, example) => {
  const bootstrapServers = await sharedKafka()
  const [uploads, letters] = [uniqueName('uploads'), uniqueName('uploads-dead-letter')]
  for (const topic of [uploads, letters]) await createTopic(bootstrapServers, topic, { partitions: 1, config })
  const sink = await openEnd('kinesis')
  t.after(() => sink[Symbol.asyncDispose]())
  const manifests = pointedAt(example, {
    source: { bootstrapServers: [bootstrapServers], topics: [uploads] },
    sink: addressOf(sink, 'sink'),
    deadLetter: { bootstrapServers: [bootstrapServers], topic: letters },
    secrets: secretsOf([sink]),
  })
  const run = testRun({ run: uploads, keys: 20 })
  const tooLarge = { key: 'large', value: Buffer.alloc(1_500_000, 'large'), headers: { trace: 'kept' } }
  const producer = kafkaClient(bootstrapServers).producer()
  await producer.connect()
  t.after(() => producer.disconnect())
  const messages = run.take(200).map(({ key, value }) => ({ key, value }))
  await producer.send({ topic: uploads, messages: messages.slice(0, 100) })
  await producer.send({ topic: uploads, messages: [tooLarge] })
  await producer.send({ topic: uploads, messages: messages.slice(100) })
  const bridge = await bridgeOf(t, manifests)()
  await allArrived(run, sink)
  const consumer = kafkaClient(bootstrapServers).consumer({ groupId: uniqueName('reader') })
  await consumer.connect()
  t.after(() => consumer.disconnect())
  await consumer.subscribe({ topic: letters, fromBeginning: true })
  const letter = await new Promise<{ key: string; value: Buffer | null; headers: Record<string, string> }>(
    (resolve) => {
      void consumer.run({
        eachMessage: ({ message: { key, value, headers } }) => {
          const texts = Object.entries(headers ?? {}).map(([name, text]) => [name, String(text)] as const)
          resolve({ key: String(key), value, headers: Object.fromEntries(texts) })
          return Promise.resolve()
        },
      })
    },
  )
  assert.equal((await bridge.report()).totals.deadLettered, 1)
  await stopped(bridge)
  assertCopied(t, run)
  assert.deepEqual([letter.key, letter.headers['trace']], ['large', 'kept'])
  assert.ok(letter.value?.equals(tooLarge.value))
  assert.match(letter.headers['streambridge-dead-letter-origin'] ?? '', new RegExp(uploads))
  assert.equal(letter.headers['streambridge-dead-letter-position'], '100')
  assert.equal(letter.headers['streambridge-dead-letter-reason'], 'RecordTooLarge')
}
