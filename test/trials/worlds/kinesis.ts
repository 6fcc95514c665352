import {
  DeleteStreamCommand,
  DescribeStreamSummaryCommand,
  ListShardsCommand,
  PutRecordsCommand,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis'
import { eventually } from '../../support/eventually.ts'
import { createStream, kinesisClient, kinesisCredentials, kinesisRegion } from '../../support/kinesis.ts'
import { sharedKinesis } from '../../support/shared-servers.ts'
import { loseLeases } from './leases.ts'
import type { World } from './world.ts'

const auth = {
  accessKeyIdSecretRef: { name: 'aws', key: 'id' },
  secretAccessKeySecretRef: { name: 'aws', key: 'secret' },
}

const middle = ({ StartingHashKey = '0', EndingHashKey = '0' }): string =>
  String((BigInt(StartingHashKey) + BigInt(EndingHashKey)) / 2n + 1n)

export async function kinesisWorld(): Promise<World> {
  const { endpoint } = await sharedKinesis()
  const client = kinesisClient(endpoint)
  const active = (stream: string): Promise<unknown> =>
    eventually('an active stream', async () => {
      const { StreamDescriptionSummary: found } = await client.send(
        new DescribeStreamSummaryCommand({ StreamName: stream }),
      )
      return found?.StreamStatus === 'ACTIVE'
    })
  return {
    broker: 'Kinesis',
    secrets: { aws: { id: kinesisCredentials.accessKeyId, secret: kinesisCredentials.secretAccessKey } },
    source: (streamName, type) => ({
      kinesis: {
        streamName,
        region: kinesisRegion,
        endpoint,
        auth,
        polling: { interval: '200ms' },
        leaseDuration: '4s',
        shardSyncInterval: '1s',
        startPosition: { type },
      },
    }),
    create: (stream, shards) => createStream(endpoint, stream, shards),
    async remove(stream) {
      await client.send(new DeleteStreamCommand({ StreamName: stream }))
      await eventually('its end', () =>
        client.send(new DescribeStreamSummaryCommand({ StreamName: stream })).then(
          () => false,
          () => true,
        ),
      )
    },
    async send(stream, values) {
      const Records = values.map((value) => ({ PartitionKey: value, Data: Buffer.from(value) }))
      const { FailedRecordCount } = await client.send(new PutRecordsCommand({ StreamName: stream, Records }))
      if ((FailedRecordCount ?? 0) > 0) throw new Error('the test endpoint refused records')
    },
    async grow(stream) {
      const { Shards: [shard] = [] } = await client.send(new ListShardsCommand({ StreamName: stream }))
      await client.send(
        new SplitShardCommand({
          StreamName: stream,
          ShardToSplit: shard?.ShardId,
          NewStartingHashKey: middle(shard?.HashKeyRange ?? {}),
        }),
      )
      await active(stream)
    },
    losePosition: loseLeases,
    async [Symbol.asyncDispose]() {
      client.destroy()
    },
  }
}
