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
import type { Place, SourcePlace, Stored, Write } from './loop.ts'

/** Records of an answer: 2 MB, as StreamBridge reads them. With the service's 10,000 it takes a gigabyte for 16 shards. */
const pageSize = 2_000
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
      new GetRecordsCommand({ ShardIterator: iterator, Limit: pageSize }),
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

/** Most records of one request. */
const maxRecords = 500

/** The service promises no order within a request, and a part of it may fail: one record of a key at a time keeps the order. */
export function toKinesis({ address, stream }: Place, stored: Stored): Write {
  const client = kinesisClient(address)
  return async (records) => {
    let rest: PutRecordsRequestEntry[] = records.map(({ key, value }) => ({ PartitionKey: key, Data: value }))
    while (rest.length > 0) {
      const now = firstOfKeys(rest)
      const { Records = [] } = await client.send(new PutRecordsCommand({ StreamName: stream, Records: now }))
      const taken = new Set(now.filter((_, index) => Records[index]?.ErrorCode === undefined))
      rest = rest.filter((entry) => !taken.has(entry))
      stored(taken.size)
    }
  }
}

function firstOfKeys(entries: readonly PutRecordsRequestEntry[]): PutRecordsRequestEntry[] {
  const first = new Map<string | undefined, PutRecordsRequestEntry>()
  for (const entry of entries) {
    if (!first.has(entry.PartitionKey)) first.set(entry.PartitionKey, entry)
    if (first.size === maxRecords) break
  }
  return [...first.values()]
}
