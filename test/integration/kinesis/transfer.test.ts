import test from 'node:test'
import { openKinesisSink } from '../../../bridge-runtime/connectors/kinesis/sink.ts'
import { openKinesisSource } from '../../../bridge-runtime/connectors/kinesis/source.ts'
import { memoryLeases } from '../../../bridge-runtime/lease-stores/memory.ts'
import { eventually } from '../../support/eventually.ts'
import { createStream } from '../../support/kinesis.ts'
import { sharedKinesis, uniqueName } from '../../support/shared-servers.ts'
import { assertWhole, tallyLine } from '../../support/tally.ts'
import { testRun } from '../../support/verifier.ts'
import { checking } from '../../support/checking-sink.ts'
import { recordsOf } from '../../support/memory/source.ts'
import { context, running, sinkConfig, sourceConfig } from './harness.ts'

/** The emulator's cost of a record grows with those its shard holds already: hence many shards, and not more records by default. */
const records = Number(process.env['STREAMBRIDGE_TEST_RECORDS'] ?? 20_000)
const shards = 64

test('every record written through the sink is read through the source, once and in the order of its key', async (t) => {
  const { endpoint } = await sharedKinesis()
  const stream = uniqueName(t)
  await createStream(endpoint, stream, shards)
  const run = testRun({ run: stream, keys: 2_000 })
  const began = performance.now()
  const writer = running(
    t,
    async () => recordsOf(run.take(records), 4),
    () => openKinesisSink(sinkConfig(endpoint, stream), context()),
  )
  await eventually(
    'all written',
    () => writer.engine.state,
    (state) => state === 'finished',
    { within: 300_000 },
  )
  await writer.stop()
  const written = performance.now()
  const leases = memoryLeases()
  const readers = ['replica-0', 'replica-1'].map((replica) =>
    running(
      t,
      () =>
        openKinesisSource(sourceConfig(endpoint, stream, { polling: { interval: '1s' } }), context(replica, leases)),
      async () => checking(run),
    ),
  )
  await eventually(
    'all read',
    () => run.received,
    (received) => received >= records,
    { within: 300_000 },
  )
  await Promise.all(readers.map((reader) => reader.stop()))
  const read = performance.now()
  t.diagnostic(
    `${tallyLine(run.tally())}; wrote in ${Math.round(written - began)} ms, read in ${Math.round(read - written)} ms`,
  )
  assertWhole(run.tally(), 0)
})
