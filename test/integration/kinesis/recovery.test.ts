import assert from 'node:assert/strict'
import test from 'node:test'
import { openKinesisSink } from '../../../bridge-runtime/connectors/kinesis/sink.ts'
import { openKinesisSource } from '../../../bridge-runtime/connectors/kinesis/source.ts'
import { eventually } from '../../support/eventually.ts'
import { createStream, kinesisClient } from '../../support/kinesis.ts'
import { sharedKinesis, uniqueName } from '../../support/shared-servers.ts'
import { assertWhole } from '../../support/tally.ts'
import { testRun } from '../../support/verifier.ts'
import { checking } from '../../support/checking-sink.ts'
import { recordsOf } from '../../support/memory/source.ts'
import { context, produce, running, sinkConfig, sourceConfig } from './harness.ts'

test('a missing stream is named by source and sink, and both go on once it exists', async (t) => {
  const { endpoint } = await sharedKinesis()
  const stream = uniqueName(t)
  const run = testRun({ run: stream, keys: 20 })
  const writer = running(
    t,
    async () => recordsOf(run.take(200), 4),
    () => openKinesisSink(sinkConfig(endpoint, stream), context()),
  )
  const reader = running(
    t,
    () => openKinesisSource(sourceConfig(endpoint, stream), context()),
    async () => checking(run),
  )
  const failure = (bridge: typeof reader, component: 'source' | 'sink') => bridge.engine.errors.newest(component)?.error
  const error = await eventually('the source says so', () => failure(reader, 'source'))
  assert.deepEqual(error?.reason, 'StreamNotFound')
  assert.match(
    error?.message ?? '',
    new RegExp(`kinesis:DescribeStreamSummary on stream ${stream} .*does not exist; create it`),
  )
  const sinkError = await eventually('the sink says so', () => failure(writer, 'sink'))
  assert.deepEqual(sinkError?.reason, 'StreamNotFound')
  await createStream(endpoint, stream, 2)
  await eventually(
    'all read',
    () => run.received,
    (received) => received === 200,
  )
  await eventually('nothing is wrong any more', () => failure(reader, 'source') === undefined)
  await Promise.all([writer.stop(), reader.stop()])
  assertWhole(run.tally(), 0)
})

test('an endpoint that nobody listens at is named', async (t) => {
  const bridge = running(
    t,
    () => openKinesisSource(sourceConfig('http://127.0.0.1:1', 'orders'), context()),
    async () => checking(testRun({ run: 'none', keys: 1 })),
  )
  const error = await eventually('the source says so', () => bridge.engine.errors.newest('source')?.error)
  assert.equal(error.reason, 'EndpointUnreachable')
  assert.match(error.message, /stream orders in http:\/\/127\.0\.0\.1:1: connect ECONNREFUSED/)
})

test('a bridge that was stopped goes on behind its checkpoint, without repeating', async (t) => {
  const { endpoint } = await sharedKinesis()
  const stream = uniqueName(t)
  const client = kinesisClient(endpoint)
  t.after(() => client.destroy())
  await createStream(endpoint, stream, 2)
  const run = testRun({ run: stream, keys: 20 })
  const shared = context()
  const bridge = () =>
    running(
      t,
      () => openKinesisSource(sourceConfig(endpoint, stream), shared),
      async () => checking(run),
    )
  for (let round = 0; round < 3; round += 1) {
    const running = bridge()
    await produce(client, stream, run, 200)
    if (round === 2)
      await eventually(
        'all read',
        () => run.received,
        (received) => received === run.sent,
      )
    await running.stop()
  }
  assertWhole(run.tally(), 0)
})
