import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import {
  DeleteStreamCommand,
  DescribeStreamSummaryCommand,
  type KinesisClient,
  ListShardsCommand,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis'
import { openKinesisSource } from '../../../bridge-runtime/connectors/kinesis/source.ts'
import { realClock } from '../../../bridge-runtime/core/clock.ts'
import { memoryLeases } from '../../../bridge-runtime/lease-stores/memory.ts'
import { checking } from '../../support/checking-sink.ts'
import { eventually } from '../../support/eventually.ts'
import { createStream, kinesisClient } from '../../support/kinesis.ts'
import { sharedKinesis, uniqueName } from '../../support/shared-servers.ts'
import { assertWhole } from '../../support/tally.ts'
import { type TestRun, testRun } from '../../support/verifier.ts'
import { context, produce, running, sourceConfig } from './harness.ts'

async function stage(t: TestContext) {
  const { endpoint } = await sharedKinesis()
  const stream = uniqueName(t)
  const client = kinesisClient(endpoint)
  t.after(() => client.destroy())
  await createStream(endpoint, stream, 1)
  const leases = memoryLeases()
  const bridge = (run: TestRun, onDataGap: 'Stop' | 'Continue' = 'Stop', replica = 'replica-0') =>
    running(
      t,
      () => openKinesisSource(sourceConfig(endpoint, stream), context(replica, leases, onDataGap)),
      async () => checking(run),
    )
  return { endpoint, stream, client, leases, bridge }
}

const all = (run: TestRun): Promise<unknown> =>
  eventually(
    'all read',
    () => run.received,
    (received) => received === run.sent,
    { within: 60_000 },
  )

async function split(client: KinesisClient, stream: string): Promise<void> {
  const [ShardToSplit] = (await client.send(new ListShardsCommand({ StreamName: stream }))).Shards ?? []
  const NewStartingHashKey = (2n ** 127n).toString()
  await client.send(
    new SplitShardCommand({ StreamName: stream, ShardToSplit: ShardToSplit?.ShardId, NewStartingHashKey }),
  )
  await eventually('the split is done', async () => {
    const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName: stream }))
    const { StreamDescriptionSummary: found } = await client.send(
      new DescribeStreamSummaryCommand({ StreamName: stream }),
    )
    return Shards.length === 3 && found?.StreamStatus === 'ACTIVE'
  })
}

async function recreate(endpoint: string, client: KinesisClient, stream: string): Promise<void> {
  await client.send(new DeleteStreamCommand({ StreamName: stream }))
  await eventually('the stream is gone', () =>
    client.send(new DescribeStreamSummaryCommand({ StreamName: stream })).then(
      () => false,
      () => true,
    ),
  )
  await createStream(endpoint, stream, 1)
}

for (const inChildren of [0, 40])
  test(`a stream that was split (${inChildren} records in the children) and made again with one shard is a gap, and is read whole when a person says so`, async (t) => {
    const { endpoint, stream, client, leases, bridge } = await stage(t)
    const old = testRun({ run: `${stream}-old`, keys: 20 })
    await produce(client, stream, old, 50)
    const first = bridge(old)
    await all(old)
    await split(client, stream)
    await produce(client, stream, old, inChildren)
    await all(old)
    const children = async () =>
      (await leases.list()).filter(
        ({ partition, owner, checkpoint }) => !partition.startsWith('~') && owner && !checkpoint.ended,
      )
    await eventually('the children are read', children, (held) => held.length === 2)
    await first.stop()

    await recreate(endpoint, client, stream)
    const run = testRun({ run: stream, keys: 20 })
    await produce(client, stream, run, 100)
    for (let start = 0; start < 2; start += 1) {
      const halted = bridge(run)
      const error = await eventually('the gap is told', () => halted.engine.errors.newest('source')?.error)
      assert.deepEqual([error.kind, error.reason], ['fatal', 'DataGap'])
      assert.match(error.message, /is another one now/)
      assert.equal(halted.engine.sourceConnected, false)
      await halted.stop()
      assert.equal(run.received, 0)
    }
    const going = bridge(run, 'Continue')
    await all(run)
    const names = async () =>
      (await leases.list()).map(({ partition }) => partition).filter((name) => !name.startsWith('~'))
    await eventually('one lease is left', names, (left) => left.join() === 'shardId-000000000000')
    await going.stop()
    const after = bridge(run)
    await produce(client, stream, run, 10)
    await all(run)
    await after.stop()
    assertWhole(run.tally(), 0)
  })

test('Latest is by the service’s clock: one that is 10 minutes off, either way, loses and repeats nothing', async (t) => {
  for (const off of [-600_000, 600_000]) {
    const { endpoint, stream, client, leases } = await stage(t)
    const before = testRun({ run: `${stream}-before`, keys: 5 })
    await produce(client, stream, before, 50)
    const run = testRun({ run: stream, keys: 5 })
    const clock = { ...realClock, now: () => realClock.now() + off, monotonic: () => realClock.monotonic() }
    const config = sourceConfig(endpoint, stream, { startPosition: { type: 'Latest' } })
    const bridge = running(
      t,
      () => openKinesisSource(config, { ...context('replica-0', leases), clock }),
      async () => ({
        ...checking(run),
        write: async (batch, signal) => {
          for (const { key, value } of batch.records()) before.arrived(key?.toString() ?? null, value)
          return await checking(run).write(batch, signal)
        },
      }),
    )
    await eventually('it is connected', () => bridge.engine.sourceConnected)
    await produce(client, stream, run, 42)
    await all(run)
    await bridge.stop()
    assertWhole(run.tally(), 0)
    assert.equal(before.received, 0)
  }
})
