import assert from 'node:assert/strict'
import test from 'node:test'
import {
  DescribeStreamSummaryCommand,
  ListShardsCommand,
  MergeShardsCommand,
  type Shard,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis'
import { openKinesisSource } from '../../../bridge-runtime/connectors/kinesis/source.ts'
import { memoryLeases } from '../../../bridge-runtime/lease-stores/memory.ts'
import { eventually } from '../../support/eventually.ts'
import { createStream, kinesisClient } from '../../support/kinesis.ts'
import { sharedKinesis, uniqueName } from '../../support/shared-servers.ts'
import { assertWhole, tallyLine } from '../../support/tally.ts'
import { testRun } from '../../support/verifier.ts'
import { checking } from '../../support/checking-sink.ts'
import { context, produce, running, sourceConfig } from './harness.ts'

const middle = ({ HashKeyRange: range }: Shard): string =>
  String((BigInt(range?.StartingHashKey ?? 0) + BigInt(range?.EndingHashKey ?? 0)) / 2n)

async function openShards(client: ReturnType<typeof kinesisClient>, stream: string): Promise<Shard[]> {
  const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName: stream }))
  return Shards.filter(({ SequenceNumberRange: range }) => range?.EndingSequenceNumber === undefined).sort((a, b) =>
    BigInt(a.HashKeyRange?.StartingHashKey ?? 0) < BigInt(b.HashKeyRange?.StartingHashKey ?? 0) ? -1 : 1,
  )
}

/** Waits until there are so many open shards and the stream can be changed again. */
const settled = (client: ReturnType<typeof kinesisClient>, stream: string, count: number): Promise<Shard[]> =>
  eventually(
    `${count} open shards of an active stream`,
    async () => {
      const summary = await client.send(new DescribeStreamSummaryCommand({ StreamName: stream }))
      const active = summary.StreamDescriptionSummary?.StreamStatus === 'ACTIVE'
      return active ? await openShards(client, stream) : []
    },
    (shards) => shards.length === count,
  )

test('splits and merges under load lose, repeat and reorder nothing', async (t) => {
  const { endpoint } = await sharedKinesis()
  const stream = uniqueName(t)
  const client = kinesisClient(endpoint)
  t.after(() => client.destroy())
  await createStream(endpoint, stream, 2)
  const run = testRun({ run: stream, keys: 150 })
  const leases = memoryLeases()
  const replica = (name: string) =>
    running(
      t,
      () => openKinesisSource(sourceConfig(endpoint, stream), context(name, leases)),
      async () => checking(run),
    )
  await produce(client, stream, run, 1_000)
  const first = replica('replica-0')

  const split = async (at: number, open: number): Promise<void> => {
    const shard = (await openShards(client, stream))[at]
    assert.ok(shard)
    await client.send(
      new SplitShardCommand({ StreamName: stream, ShardToSplit: shard.ShardId, NewStartingHashKey: middle(shard) }),
    )
    await settled(client, stream, open)
  }
  const load = produce(client, stream, run, 3_000)
  await split(0, 3)
  await split(0, 4)
  const second = replica('replica-1')
  await split(3, 5)
  await load
  const more = produce(client, stream, run, 3_000)
  const [left, right] = await openShards(client, stream)
  await client.send(
    new MergeShardsCommand({ StreamName: stream, ShardToMerge: left?.ShardId, AdjacentShardToMerge: right?.ShardId }),
  )
  await settled(client, stream, 4)
  await more
  await produce(client, stream, run, 500)

  await eventually(
    'all read',
    () => run.received,
    (received) => received === run.sent,
    { within: 120_000 },
  )
  const finished = async () => (await leases.list()).filter(({ checkpoint }) => checkpoint.ended).length
  await eventually('every closed shard is finished', finished, (count) => count === 5)
  await Promise.all([first.stop(), second.stop()])
  t.diagnostic(tallyLine(run.tally()))
  assertWhole(run.tally(), 0)
})

test('a bridge that begins after a split reads the closed parent first', async (t) => {
  const { endpoint } = await sharedKinesis()
  const stream = uniqueName(t)
  const client = kinesisClient(endpoint)
  t.after(() => client.destroy())
  await createStream(endpoint, stream, 1)
  const run = testRun({ run: stream, keys: 50 })
  await produce(client, stream, run, 500)
  const [shard] = await openShards(client, stream)
  assert.ok(shard)
  await client.send(
    new SplitShardCommand({ StreamName: stream, ShardToSplit: shard.ShardId, NewStartingHashKey: middle(shard) }),
  )
  await settled(client, stream, 2)
  await produce(client, stream, run, 500)
  const bridge = running(
    t,
    () => openKinesisSource(sourceConfig(endpoint, stream), context()),
    async () => checking(run),
  )
  await eventually(
    'all read',
    () => run.received,
    (received) => received === run.sent,
  )
  await bridge.stop()
  assertWhole(run.tally(), 0)
})

test('a bridge that starts at Latest reads what comes after it began, through a split and a crash', async (t) => {
  const { endpoint } = await sharedKinesis()
  const stream = uniqueName(t)
  const client = kinesisClient(endpoint)
  t.after(() => client.destroy())
  await createStream(endpoint, stream, 1)
  const before = testRun({ run: `${stream}-before`, keys: 20 })
  const run = testRun({ run: stream, keys: 20 })
  await produce(client, stream, before, 100)
  const leases = memoryLeases()
  const config = sourceConfig(endpoint, stream, { startPosition: { type: 'Latest' } })
  const bridge = () =>
    running(
      t,
      () => openKinesisSource(config, context('replica-0', leases)),
      async () => {
        const sink = checking(run)
        return {
          ...sink,
          write: async (batch, signal) => {
            for (const { key, value } of batch.records()) before.arrived(key?.toString() ?? null, value)
            return await sink.write(batch, signal)
          },
        }
      },
    )
  const first = bridge()
  await eventually('the shard is read', () => first.engine.pumps.some(({ reader }) => reader.lag().kind === 'known'))
  await first.stop()
  const [shard] = await openShards(client, stream)
  assert.ok(shard)
  await produce(client, stream, run, 100)
  await client.send(
    new SplitShardCommand({ StreamName: stream, ShardToSplit: shard.ShardId, NewStartingHashKey: middle(shard) }),
  )
  await settled(client, stream, 2)
  await produce(client, stream, run, 100)
  const second = bridge()
  await eventually(
    'all read',
    () => run.received,
    (received) => received === run.sent,
  )
  await second.stop()
  assertWhole(run.tally(), 0)
  assert.equal(before.received, 0)
})
