import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import {
  ExpiredIteratorException,
  GetRecordsCommand,
  KinesisClient,
  ListShardsCommand,
  PutRecordsCommand,
} from '@aws-sdk/client-kinesis'
import { AwsJson1_1Protocol } from '@aws-sdk/core/protocols'
import fc from 'fast-check'
import { translate } from './errors.ts'
import { isDamaged, KinesisProtocol, pageOf } from './protocol.ts'

/** A client whose every request is answered with this. */
const clientOf = (protocol: typeof AwsJson1_1Protocol, body: string, statusCode = 200): KinesisClient =>
  new KinesisClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 's' },
    maxAttempts: 1,
    protocol,
    requestHandler: {
      handle: () =>
        Promise.resolve({
          response: {
            statusCode,
            headers: { 'x-amzn-requestid': 'r-1' },
            body: Readable.from([Buffer.from(body)]),
          },
        }),
    },
  })

const read = (protocol: typeof AwsJson1_1Protocol, body: string, statusCode?: number) =>
  clientOf(protocol, body, statusCode).send(new GetRecordsCommand({ ShardIterator: 'i' }))

const records = fc.record({
  Data: fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes).toString('base64')),
  ApproximateArrivalTimestamp: fc.nat(2_000_000_000_000).map((milliseconds) => milliseconds / 1_000),
  PartitionKey: fc.string({ unit: 'grapheme' }),
  SequenceNumber: fc.bigInt({ min: 0n, max: 1n << 180n }).map(String),
})
const answers = fc
  .record({
    Records: fc.array(records, { maxLength: 5 }),
    MillisBehindLatest: fc.nat(),
    NextShardIterator: fc.option(fc.base64String()),
  })
  .map((answer) => JSON.stringify(answer))

test('an answer of GetRecords reads as the SDK itself reads it', async () => {
  await fc.assert(
    fc.asyncProperty(answers, async (body) => {
      const [ours, theirs] = [await read(KinesisProtocol, body), await read(AwsJson1_1Protocol, body)]
      const plain = ({ Records = [], NextShardIterator, MillisBehindLatest, $metadata }: typeof ours) => ({
        records: Records.map((record) => ({ ...record, Data: [...(record.Data ?? [])] })),
        next: NextShardIterator ?? undefined,
        MillisBehindLatest,
        $metadata,
      })
      assert.deepEqual(plain(ours), plain(theirs))
    }),
  )
})

test('data that is not base64 is told with its record, as it came, and never taken for other data', () => {
  for (const damaged of ['YWJ', 'YW*j', 'YWJj\n', 'Y=Jj', 'YWJjZ']) {
    const { Records = [] } = pageOf(
      JSON.stringify({ Records: [{ Data: 'YWJj' }, { Data: damaged, SequenceNumber: '2' }, { Data: 'YWJj' }] }),
    )
    assert.deepEqual(
      Records.map((record) => [`${Buffer.from(record.Data ?? [])}`, isDamaged(record)]),
      [
        ['abc', false],
        [damaged, true],
        ['abc', false],
      ],
    )
  }
})

test('an answer that breaks off is an error', async () => {
  await assert.rejects(read(KinesisProtocol, '{"Records":[{"Data":"YWJ'), SyntaxError)
})

test('errors and the answers of other calls are the SDK’s to read', async () => {
  const expired = JSON.stringify({ __type: 'ExpiredIteratorException', message: 'too old' })
  await assert.rejects(read(KinesisProtocol, expired, 400), ExpiredIteratorException)
  const put = JSON.stringify({ FailedRecordCount: 0, Records: [{ SequenceNumber: '1', ShardId: 's' }] })
  const stored = await clientOf(KinesisProtocol, put).send(
    new PutRecordsCommand({ StreamName: 's', Records: [{ PartitionKey: 'k', Data: Buffer.from('v') }] }),
  )
  assert.deepEqual(stored.Records, [{ SequenceNumber: '1', ShardId: 's' }])
})

test('the SDK still has, by this name, the step that copies each request and answer for a log', () => {
  assert.equal(new KinesisClient({ region: 'us-east-1' }).middlewareStack.remove('loggerMiddleware'), true)
})

/** A client whose every answer goes on without end. */
function endless(): { readonly client: KinesisClient; readonly sent: () => number } {
  let sent = 0
  const body = function* (): Generator<Buffer> {
    for (;;) {
      sent += 1_000_000
      yield Buffer.alloc(1_000_000, ' ')
    }
  }
  const client = new KinesisClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 's' },
    maxAttempts: 1,
    protocol: KinesisProtocol,
    requestHandler: {
      handle: () => Promise.resolve({ response: { statusCode: 200, headers: {}, body: Readable.from(body()) } }),
    },
  })
  return { client, sent: () => sent }
}

test('an answer larger than any that the service gives is cut off, whatever was asked', async () => {
  for (const command of [new GetRecordsCommand({ ShardIterator: 'i' }), new ListShardsCommand({ StreamName: 's' })]) {
    const { client, sent } = endless()
    await assert.rejects(
      client.send(command as GetRecordsCommand),
      (error: Error) => translate(error, 'kinesis').reason === 'AnswerTooLarge',
    )
    assert.ok(sent() < 60_000_000, `${sent()} bytes were taken`)
  }
})

test('the largest legal page is read: 10 MiB of data, whatever the keys are made of', async () => {
  const PartitionKey = '\u{1F511}'.repeat(256)
  const Data = Buffer.alloc(1_000).toString('base64')
  const Records = Array.from({ length: 10_000 }, (_, at) => ({
    PartitionKey,
    Data,
    SequenceNumber: `${at}`.padEnd(56, '0'),
  }))
  const text = JSON.stringify({ Records, MillisBehindLatest: 0 }).replaceAll('\u{1F511}', '\\ud83d\\udd11')
  const page = await read(KinesisProtocol, text)
  assert.equal(page.Records?.length, 10_000)
  assert.equal(page.Records?.[0]?.PartitionKey, PartitionKey)
})
