/** A naive loop's Kinesis, with the AWS SDK: a loop for each shard, its checkpoint in a file. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
  PutRecordsCommand,
  type PutRecordsRequestEntry,
} from '@aws-sdk/client-kinesis'
import { kinesisClient } from '../../support/kinesis.ts'
import { chunks, type Place, type SourcePlace, type Write } from './loop.ts'

/** Milliseconds between two looks at a shard that had nothing. */
const idle = 200

export async function fromKinesis({ address, stream, checkpoints }: SourcePlace, write: Write): Promise<void> {
  const client = kinesisClient(address)
  const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName: stream }))
  await Promise.all(Shards.map(({ ShardId = '' }) => readShard(client, { stream, shard: ShardId, checkpoints }, write)))
}

interface ShardPlace {
  readonly stream: string
  readonly shard: string
  readonly checkpoints: string
}

async function readShard(client: KinesisClient, { stream, shard, checkpoints }: ShardPlace, write: Write) {
  const { ShardIterator } = await client.send(
    new GetShardIteratorCommand({ StreamName: stream, ShardId: shard, ShardIteratorType: 'TRIM_HORIZON' }),
  )
  for (let iterator = ShardIterator; iterator !== undefined; ) {
    const { Records = [], NextShardIterator } = await client.send(
      new GetRecordsCommand({ ShardIterator: iterator, Limit: 1_000 }),
    )
    iterator = NextShardIterator
    const last = Records.at(-1)
    if (last === undefined) {
      await sleep(idle)
      continue
    }
    await write(
      Records.map(({ PartitionKey = '', Data }) => ({
        key: PartitionKey,
        value: Buffer.from(Data ?? []),
        headers: {},
      })),
    )
    await writeFile(join(checkpoints, shard), last.SequenceNumber ?? '')
  }
}

export function toKinesis({ address, stream }: Place): Write {
  const client = kinesisClient(address)
  return async (records) => {
    for (const part of chunks(records, 500)) {
      let rest: PutRecordsRequestEntry[] = part.map(({ key, value }) => ({ PartitionKey: key, Data: value }))
      while (rest.length > 0) {
        const { Records = [] } = await client.send(new PutRecordsCommand({ StreamName: stream, Records: rest }))
        rest = rest.filter((_, index) => Records[index]?.ErrorCode !== undefined)
      }
    }
  }
}
