import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { sharedKinesis } from '../support/shared-servers.ts'
import { assertWhole, tallyLine } from '../support/tally.ts'
import { exploded } from '../support/way.ts'
import { type Direction, kafkaToKinesis, kinesisOf, kinesisToKafka } from './direction.ts'
import { splitAndMerge } from './resharding.ts'
import { type StopsOptions, stopUnderLoad } from './stops.ts'

/** Another seed: STREAMBRIDGE_TEST_SEED. */
const seed = Number(process.env['STREAMBRIDGE_TEST_SEED'] ?? 1)

async function assertSurvives(
  t: TestContext,
  open: Promise<Direction>,
  options: Omit<StopsOptions, 'direction' | 'seed'>,
) {
  await using direction = await open
  const result = await stopUnderLoad({ direction, seed, ...options })
  t.diagnostic(`${result.name}, seed ${seed}: ${tallyLine(result.tally, result.bound)}`)
  assertWhole(result.tally, result.bound)
  assert.ok(result.tally.received > 0)
  if (options.signal === 'SIGTERM') assert.deepEqual(result.exits, [0])
}

test('a killed runtime loses nothing and reorders nothing, from Kafka to Kinesis', (t) =>
  assertSurvives(t, kafkaToKinesis(), { signal: 'SIGKILL', stops: 4 }))

test('a killed runtime loses nothing and reorders nothing, from Kinesis to Kafka', (t) =>
  assertSurvives(t, kinesisToKafka(), { signal: 'SIGKILL', stops: 4 }))

test('a runtime told to stop also repeats nothing, from Kafka to Kinesis', (t) =>
  assertSurvives(t, kafkaToKinesis(), { signal: 'SIGTERM', stops: 4, replicas: 2 }))

test('a runtime told to stop also repeats nothing, from Kinesis to Kafka', (t) =>
  assertSurvives(t, kinesisToKafka(), { signal: 'SIGTERM', stops: 4, replicas: 2 }))

test('a split and a merge of shards under load lose nothing and reorder nothing', async (t) => {
  const { endpoint } = await sharedKinesis()
  const opened = kinesisToKafka(2)
  const stream = kinesisOf(await opened)
  await assertSurvives(t, opened, { signal: 'SIGTERM', stops: 1, meanwhile: () => splitAndMerge(endpoint, stream) })
})

test('a killed runtime loses nothing of records that become three each, from Kafka to Kinesis', (t) =>
  assertSurvives(t, kafkaToKinesis(), { signal: 'SIGKILL', stops: 3, rate: 300, way: exploded }))

test('a runtime told to stop repeats nothing of records that become three each, from Kinesis to Kafka', (t) =>
  assertSurvives(t, kinesisToKafka(), { signal: 'SIGTERM', stops: 3, rate: 300, way: exploded }))
