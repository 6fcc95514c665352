import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import {
  DeleteStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
  PutRecordsCommand,
} from '@aws-sdk/client-kinesis'
import { kinesis } from '../../../bridge-runtime/connectors/kinesis/index.ts'
import { connectorSuite } from '../../conformance/connector-suite.ts'
import { loseLeases, type PlainRecord } from '../../conformance/harness.ts'
import { eventually } from '../../support/eventually.ts'
import { proxied } from '../../conformance/servers/proxied.ts'
import { createStream, kinesisClient, kinesisCredentials, kinesisRegion } from '../../support/kinesis.ts'
import { sharedKinesis } from '../../support/shared-servers.ts'

const sink = (endpoint: string, streamName: string): object => ({
  streamName,
  endpoint,
  region: kinesisRegion,
  auth: {
    accessKeyIdSecretRef: { name: 'aws', key: 'id' },
    secretAccessKeySecretRef: { name: 'aws', key: 'secret' },
  },
})
const source = (endpoint: string, streamName: string): object => ({
  ...sink(endpoint, streamName),
  polling: { interval: '200ms' },
  leaseDuration: '3s',
  shardSyncInterval: '1s',
})

async function withClient<T>(endpoint: string, task: (client: KinesisClient) => Promise<T>): Promise<T> {
  const client = kinesisClient(endpoint)
  try {
    return await task(client)
  } finally {
    client.destroy()
  }
}

const produce = (endpoint: string, stream: string, records: readonly PlainRecord[]): Promise<void> =>
  withClient(endpoint, async (client) => {
    for (let from = 0; from < records.length; from += 500) {
      const part = records.slice(from, from + 500)
      const Records = part.map(({ key, value }) => ({ PartitionKey: key ?? '-', Data: value ?? Buffer.alloc(0) }))
      const answer = await client.send(new PutRecordsCommand({ StreamName: stream, Records }))
      assert.equal(answer.FailedRecordCount ?? 0, 0)
    }
  })

const readAll = (endpoint: string, stream: string): Promise<PlainRecord[]> =>
  withClient(endpoint, async (client) => {
    const records: PlainRecord[] = []
    const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName: stream }))
    for (const { ShardId } of Shards) {
      const start = new GetShardIteratorCommand({ StreamName: stream, ShardId, ShardIteratorType: 'TRIM_HORIZON' })
      for (let iterator = (await client.send(start)).ShardIterator; iterator !== undefined; ) {
        const page = await client.send(new GetRecordsCommand({ ShardIterator: iterator }))
        for (const { PartitionKey, Data } of page.Records ?? [])
          records.push({ key: PartitionKey ?? null, value: Data === undefined ? null : Buffer.from(Data) })
        iterator = page.MillisBehindLatest === 0 ? undefined : page.NextShardIterator
      }
    }
    return records
  })

const recreateStream = (endpoint: string, stream: string, shards: number): Promise<void> =>
  withClient(endpoint, async (client) => {
    await client.send(new DeleteStreamCommand({ StreamName: stream }))
    await eventually('the stream is gone', () =>
      client.send(new DescribeStreamSummaryCommand({ StreamName: stream })).then(
        () => false,
        () => true,
      ),
    )
    await createStream(endpoint, stream, shards)
  })

connectorSuite({
  connector: kinesis,
  exceptions: { K11: 'a Kinesis record has no headers' },
  lacks: {
    headers: 'a Kinesis record has none',
    timestamp: 'the service writes the time of arrival',
    nullKey: 'every Kinesis record has a partition key',
    nullValue: 'a Kinesis record always has data',
  },
  secrets: { 'aws/id': kinesisCredentials.accessKeyId, 'aws/secret': kinesisCredentials.secretAccessKey },
  tooLarge: 1_048_577,
  target: async () => (await sharedKinesis()).endpoint,
  createStream,
  sourceConfig: source,
  sinkConfig: sink,
  produce,
  readAll,
  recreateStream,
  losePositions: loseLeases,
  // The endpoint of the tests checks no credentials: this one answers what the service answers to wrong ones.
  async wrongCredentials(stream) {
    const server = createServer((request, response) => {
      request.resume()
      response.writeHead(400, { 'content-type': 'application/x-amz-json-1.1' })
      const message = 'The security token included in the request is invalid.'
      response.end(JSON.stringify({ __type: 'UnrecognizedClientException', message }))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
    return {
      source: source(endpoint, stream),
      sink: sink(endpoint, stream),
      secrets: { 'aws/id': 'AKIAWRONG', 'aws/secret': 'wrong-canary-7f3a' },
      canary: 'wrong-canary-7f3a',
      stop: async () => {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      },
    }
  },
  async interruption() {
    const { endpoint } = await sharedKinesis()
    return proxied(new URL(endpoint).host, (address) => `http://${address}`)
  },
})
