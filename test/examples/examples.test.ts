/** Every file in `examples/` is run, by itself and against local servers, to what its comment says. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { copies, readByTwo, sharedByTwo } from './copies.ts'
import { commentOf, exampleFiles, readExample } from './example.ts'
import { onlyErrors, printed, repeatableLoad } from './made-up.ts'
import { mirrored } from './mirrored.ts'
import { onTheWay } from './on-the-way.ts'
import { pausedAndResumed, scaledByAnother, scaledOnLag } from './operated.ts'
import { byCertificate, byConnectionString, byScram } from './secured.ts'
import { latestIntoFile, ownSubscription, setAside } from './special.ts'
import type { Trial } from './stage.ts'
import { byRole } from './workload-identity.ts'

/** Example → how it is run and judged. The servers it needs are those of its source and its sink, unless its trial starts others. */
const trials: Readonly<Record<string, Trial>> = {
  'access-log-errors.yaml': onlyErrors,
  'dead-letter.yaml': setAside,
  'event-hubs-over-kafka.yaml': byConnectionString,
  'event-hubs-to-event-hubs.yaml': copies,
  'event-hubs-to-kafka.yaml': sharedByTwo,
  'event-hubs-to-pubsub.yaml': copies,
  'generator-to-console.yaml': printed,
  'generator-to-kinesis.yaml': repeatableLoad,
  'kafka-mirror.yaml': mirrored,
  'kafka-mutual-tls.yaml': byCertificate,
  'kafka-tls-scram.yaml': byScram,
  'kafka-to-event-hubs.yaml': copies,
  'kafka-to-kinesis.yaml': copies,
  'kafka-to-pubsub.yaml': copies,
  'kinesis-to-file.yaml': latestIntoFile,
  'kinesis-to-kafka.yaml': sharedByTwo,
  'kinesis-workload-identity.yaml': byRole,
  'orders-on-the-way.yaml': onTheWay,
  'pause-and-resume.yaml': pausedAndResumed,
  'pubsub-to-event-hubs.yaml': copies,
  'pubsub-to-kafka.yaml': readByTwo,
  'pubsub-to-pubsub.yaml': ownSubscription,
  'scaling-external.yaml': scaledByAnother,
  'scaling-on-lag.yaml': scaledOnLag,
}

test('each example has a trial, and says what a person sees', () => {
  assert.deepEqual(exampleFiles().toSorted(), Object.keys(trials).toSorted())
  for (const file of exampleFiles()) assert.match(commentOf(file), /^# You see: /m, file)
})

// Most of their time is waiting. Those of the operator wait longest: they come first.
const longestFirst = Object.entries(trials).sort(
  ([a], [b]) => Number(/^(pause|scal)/.test(b)) - Number(/^(pause|scal)/.test(a)),
)

suite('an example does what its comment says', { concurrency: 6 }, () => {
  for (const [file, trial] of longestFirst) test(`examples/${file}`, async (t) => trial(t, await readExample(file)))
})
