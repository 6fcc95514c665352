import { test, type TestContext } from 'node:test'
import { kafkaEnd } from '../support/ends/kafka.ts'
import { assertWhole, tallyLine } from '../support/tally.ts'
import { loseAnswers, type ProxiedEnd } from './ambiguous.ts'
import { exploded, type Way } from '../support/way.ts'
import { proxiedEventHubs, proxiedKafka, proxiedKinesis, proxiedPubsub } from './proxied.ts'

const lostAnswers = 10

async function assertRepeatsOnlyWhatIsInDoubt(t: TestContext, sink: Promise<ProxiedEnd>, perAnswer: number, way?: Way) {
  const { tally, injections } = await loseAnswers(kafkaEnd(), sink, lostAnswers, way)
  t.diagnostic(`${injections} answers lost: ${tallyLine(tally, injections * perAnswer)}`)
  assertWhole(tally, injections * perAnswer)
}

test('lost answers of Kafka repeat nothing: its producer is idempotent', (t) =>
  assertRepeatsOnlyWhatIsInDoubt(t, proxiedKafka(), 0))

test('each lost answer of Kinesis repeats at most its one record', (t) =>
  assertRepeatsOnlyWhatIsInDoubt(t, proxiedKinesis(), 1))

test('each lost answer of Pub/Sub repeats at most its one message', (t) =>
  assertRepeatsOnlyWhatIsInDoubt(t, proxiedPubsub(), 1))

test('each lost answer of Event Hubs repeats at most its one event', (t) =>
  assertRepeatsOnlyWhatIsInDoubt(t, proxiedEventHubs(), 1))

test('lost answers of Kafka repeat nothing of a record that becomes three', (t) =>
  assertRepeatsOnlyWhatIsInDoubt(t, proxiedKafka(), 0, exploded))

test('each lost answer of Kinesis repeats at most one of the three that a record becomes', (t) =>
  assertRepeatsOnlyWhatIsInDoubt(t, proxiedKinesis(), 1, exploded))
