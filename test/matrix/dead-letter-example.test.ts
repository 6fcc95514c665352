/** examples/dead-letter.yaml, with brokers of this machine. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { CompressionTypes, Partitioners } from 'kafkajs'
import { parseAllDocuments } from 'yaml'
import { createBridge } from '../../bridge-runtime/bridge.ts'
import { memoryLeases } from '../../bridge-runtime/lease-stores/memory.ts'
import type { Engine } from '../../bridge-runtime/core/engine.ts'
import type { Logger } from '../../bridge-runtime/observability/logger.ts'
import { bridgeFile } from '../../crds/schema/bridge-file.ts'
import { eventually } from '../support/eventually.ts'
import { consumeAll } from '../integration/kafka/verify.ts'
import { createTopic, kafkaClient } from '../support/kafka.ts'
import { createStream, kinesisCredentials, kinesisRegion } from '../support/kinesis.ts'
import { keepRunning } from '../support/running-engine.ts'
import { sharedKafka, sharedKinesis, uniqueName } from '../support/shared-servers.ts'

interface Spec {
  readonly source: { kafka: Record<string, unknown> }
  readonly sink: { kinesis: Record<string, unknown> }
  readonly delivery: { deadLetter: { kafka: Record<string, unknown> } }
}

/** The example as it is, but for the addresses and names; what it logs as warnings. */
async function runExample(t: TestContext, letters: Readonly<Record<string, string>>) {
  const file = readFileSync(join(import.meta.dirname, '../../examples/dead-letter.yaml'), 'utf8')
  const objects = parseAllDocuments(file).map((document) => document.toJS() as { kind: string; spec?: Spec })
  const { spec } = objects.find(({ kind }) => kind === 'StreamBridge') ?? {}
  assert.ok(spec)
  const [server, { endpoint }] = await Promise.all([sharedKafka(), sharedKinesis()])
  const [topic, letterTopic, streamName] = [uniqueName('uploads'), uniqueName('uploads-letters'), uniqueName('uploads')]
  await createTopic(server, topic, { partitions: 1, config: { 'max.message.bytes': '3000000' } })
  await createTopic(server, letterTopic, { partitions: 1, config: letters })
  await createStream(endpoint, streamName, 1)
  Object.assign(spec.source.kafka, { bootstrapServers: [server], topics: [topic] })
  Object.assign(spec.sink.kinesis, { endpoint, streamName, region: kinesisRegion })
  Object.assign(spec.delivery.deadLetter.kafka, { bootstrapServers: [server], topic: letterTopic })
  const warnings: string[] = []
  const log: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: (message) => void warnings.push(message),
    error: (message) => void warnings.push(message),
    with: () => log,
  }
  const secrets = {
    'access-key-id': kinesisCredentials.accessKeyId,
    'secret-access-key': kinesisCredentials.secretAccessKey,
  }
  const engine = createBridge({
    file: bridgeFile.parse({ namespace: 'test', name: topic, uid: 'uid', logLevel: 'info', ...spec }),
    replica: 'one',
    secret: ({ key }) => Promise.resolve(Buffer.from(secrets[key as keyof typeof secrets])),
    leases: memoryLeases(),
    log,
    onWrite: () => undefined,
  })
  const running = keepRunning(t, engine)
  const send = async (value: Buffer): Promise<void> => {
    const producer = kafkaClient(server).producer({ createPartitioner: Partitioners.DefaultPartitioner })
    await producer.connect()
    await producer.send({ topic, acks: -1, compression: CompressionTypes.None, messages: [{ key: 'k', value }] })
    await producer.disconnect()
  }
  return { engine: running.engine, server, letterTopic, warnings, send }
}

/** Without what a broker says that has just started. */
const notices = (warnings: readonly string[]): string[] => warnings.filter((text) => text.includes('dead-letter sink'))
const deadLetters = ({ statistics }: Engine): number => statistics.totals.deadLettered

test('what is too large for Kinesis is a dead letter in a topic that takes a little more than the source', async (t) => {
  const { engine, server, letterTopic, warnings, send } = await runExample(t, { 'max.message.bytes': '11000000' })
  const large = randomBytes(2_500_000)
  await send(large)
  await send(Buffer.from('the next one'))
  await eventually('a dead letter', () => deadLetters(engine) === 1)
  await eventually(
    'both are settled',
    () => engine.pumps[0]?.committed !== undefined && engine.pumps[0].inFlightRecords === 0,
  )
  const [letter] = await consumeAll(server, letterTopic, 1)
  assert.ok(letter?.value?.equals(large))
  assert.deepEqual(notices(warnings), [])
})

test('a topic of dead letters by the defaults takes what compresses, and its bridge warns at the start', async (t) => {
  const { engine, server, letterTopic, warnings, send } = await runExample(t, {})
  const large = Buffer.alloc(2_500_000, 'text that compresses ')
  await send(large)
  await eventually('a dead letter', () => deadLetters(engine) === 1)
  const [letter] = await consumeAll(server, letterTopic, 1)
  assert.ok(letter?.value?.equals(large))
  assert.match(notices(warnings)[0] ?? '', /the dead-letter sink takes records of 1048288 bytes, the sink of 1048576/)
})
