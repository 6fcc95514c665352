/** Splits and merges shards of a stream, as an operator of it would. */
import {
  DescribeStreamSummaryCommand,
  type KinesisClient,
  ListShardsCommand,
  MergeShardsCommand,
  type Shard,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../support/eventually.ts'
import { kinesisClient } from '../support/kinesis.ts'

/** Splits the first open shard in half, waits, and merges two neighbours. */
export async function splitAndMerge(endpoint: string, stream: string, pause = 2_000): Promise<void> {
  const client = kinesisClient(endpoint)
  try {
    await sleep(pause)
    const [shard] = await openShards(client, stream)
    const { StartingHashKey: low = '0', EndingHashKey: high = '0' } = shard?.HashKeyRange ?? {}
    const middle = String((BigInt(low) + BigInt(high)) / 2n + 1n)
    const split = { StreamName: stream, ShardToSplit: shard?.ShardId, NewStartingHashKey: middle }
    await client.send(new SplitShardCommand(split))
    await active(client, stream)
    await sleep(pause)
    const [left, right] = await openShards(client, stream)
    const merge = { StreamName: stream, ShardToMerge: left?.ShardId, AdjacentShardToMerge: right?.ShardId }
    await client.send(new MergeShardsCommand(merge))
    await active(client, stream)
    await sleep(pause)
  } finally {
    client.destroy()
  }
}

/** In the order of their hash keys. */
async function openShards(client: KinesisClient, stream: string): Promise<Shard[]> {
  const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName: stream }))
  const from = ({ HashKeyRange }: Shard): bigint => BigInt(HashKeyRange?.StartingHashKey ?? 0)
  return Shards.filter((shard) => shard.SequenceNumberRange?.EndingSequenceNumber === undefined).sort((a, b) =>
    from(a) < from(b) ? -1 : 1,
  )
}

const active = (client: KinesisClient, stream: string): Promise<unknown> =>
  eventually(`stream ${stream} is active`, async () => {
    const { StreamDescriptionSummary } = await client.send(new DescribeStreamSummaryCommand({ StreamName: stream }))
    return StreamDescriptionSummary?.StreamStatus === 'ACTIVE'
  })
