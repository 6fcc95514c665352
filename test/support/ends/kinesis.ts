import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
  PutRecordsCommand,
  type Shard,
} from '@aws-sdk/client-kinesis'
import { createStream, kinesisClient, kinesisCredentials, kinesisRegion } from '../kinesis.ts'
import { sharedKinesis, uniqueName } from '../shared-servers.ts'
import type { TestRecord, TestRun } from '../verifier.ts'
import { type End, leasedCheckpoints, parts } from './end.ts'

const auth = {
  accessKeyIdSecretRef: { name: 'aws', key: 'id' },
  secretAccessKeySecretRef: { name: 'aws', key: 'secret' },
}

/** A stream, with the AWS SDK as the client. */
export async function kinesisEnd(shards = 4): Promise<End> {
  const { endpoint } = await sharedKinesis()
  const streamName = uniqueName('end')
  await createStream(endpoint, streamName, shards)
  const client = kinesisClient(endpoint)
  const connection = { streamName, region: kinesisRegion, endpoint, auth }
  return {
    broker: 'Kinesis',
    stream: streamName,
    source: { kinesis: connection },
    hastySource: {
      kinesis: { ...connection, polling: { interval: '200ms' }, leaseDuration: '4s', shardSyncInterval: '1s' },
    },
    sink: { kinesis: connection },
    secrets: { aws: { id: kinesisCredentials.accessKeyId, secret: kinesisCredentials.secretAccessKey } },
    patience: 4_000,
    headers: false,
    send: (records) => sendToKinesis(client, streamName, records),
    checkpoints: leasedCheckpoints,
    collect: collector(client, streamName),
    async [Symbol.asyncDispose]() {
      client.destroy()
    },
  }
}

/** What one request takes: 500 records, 5 MiB with their keys. */
const requestBytes = 4 * 1024 * 1024

async function sendToKinesis(client: KinesisClient, stream: string, records: readonly TestRecord[]): Promise<void> {
  for (const part of parts(records, requestBytes)) {
    const Records = part.map(({ key, value }) => ({ PartitionKey: key, Data: value }))
    const answer = await client.send(new PutRecordsCommand({ StreamName: stream, Records }))
    if ((answer.FailedRecordCount ?? 0) > 0) throw new Error('the test endpoint refused records')
  }
}

/** Follows every shard; a child is read when its parents are read to their end. */
function collector(client: KinesisClient, stream: string): (run: TestRun) => Promise<void> {
  const iterators = new Map<string, string | undefined>()
  const start = async ({ ShardId }: Shard): Promise<string | undefined> =>
    (await client.send(new GetShardIteratorCommand({ StreamName: stream, ShardId, ShardIteratorType: 'TRIM_HORIZON' })))
      .ShardIterator
  const finished = (shard: string | undefined): boolean =>
    shard === undefined || (iterators.has(shard) && iterators.get(shard) === undefined)
  const readOn = async (shard: string, run: TestRun): Promise<void> => {
    for (let more = true; more; ) {
      const iterator = iterators.get(shard)
      if (iterator === undefined) return
      const page = await client.send(new GetRecordsCommand({ ShardIterator: iterator }))
      for (const { PartitionKey, Data } of page.Records ?? [])
        run.arrived(PartitionKey ?? null, Data === undefined ? null : Buffer.from(Data), undefined)
      iterators.set(shard, page.NextShardIterator)
      more = (page.Records?.length ?? 0) > 0 || page.NextShardIterator === undefined
    }
  }
  return async (run) => {
    const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName: stream }))
    for (const shard of Shards) {
      const id = shard.ShardId ?? ''
      if (!finished(shard.ParentShardId) || !finished(shard.AdjacentParentShardId)) continue
      if (!iterators.has(id)) iterators.set(id, await start(shard))
      await readOn(id, run)
    }
  }
}
