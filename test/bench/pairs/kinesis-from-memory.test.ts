import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListShardsCommand,
  PutRecordsCommand,
} from '@aws-sdk/client-kinesis'
import { createStream, kinesisClient } from '../../support/kinesis.ts'
import { kinesisFromMemory } from './kinesis-from-memory.ts'

test('every record is read once, from the shard of its key and in the order of that shard', async (t) => {
  await using server = await kinesisFromMemory()
  const client = kinesisClient(server.endpoint)
  t.after(() => client.destroy())
  const StreamName = 'orders'
  await createStream(server.endpoint, StreamName, 4)
  const sent = Array.from({ length: 300 }, (_, index) => ({ key: `key-${index % 16}`, value: `value-${index}` }))
  const Records = sent.map(({ key, value }) => ({ PartitionKey: key, Data: Buffer.from(value) }))
  const { Records: stored = [] } = await client.send(new PutRecordsCommand({ StreamName, Records }))
  const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName }))
  const read: string[] = []
  for (const { ShardId } of Shards) {
    const position = { StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' } as const
    let { ShardIterator } = await client.send(new GetShardIteratorCommand(position))
    for (let behind = 1; behind > 0; ) {
      const page = await client.send(new GetRecordsCommand({ ShardIterator, Limit: 7 }))
      ShardIterator = page.NextShardIterator
      behind = page.MillisBehindLatest ?? 0
      read.push(
        ...(page.Records ?? []).map(({ SequenceNumber: at, Data }) => `${ShardId} ${at} ${Buffer.from(Data ?? [])}`),
      )
    }
  }
  const expected = stored.map(
    ({ ShardId, SequenceNumber }, index) => `${ShardId} ${SequenceNumber} ${sent[index]?.value}`,
  )
  assert.deepEqual(read, expected.toSorted())
  assert.equal(new Set(stored.map(({ ShardId }) => ShardId)).size, 4)

  const after = { StreamName, ShardId: stored[0]?.ShardId, StartingSequenceNumber: stored[0]?.SequenceNumber }
  const resumed = await client.send(
    new GetShardIteratorCommand({ ...after, ShardIteratorType: 'AFTER_SEQUENCE_NUMBER' }),
  )
  const rest = await client.send(new GetRecordsCommand({ ShardIterator: resumed.ShardIterator }))
  assert.deepEqual(rest.Records?.length, stored.filter(({ ShardId }) => ShardId === after.ShardId).length - 1)
})
