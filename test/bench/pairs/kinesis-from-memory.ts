/**
 * A Kinesis endpoint that answers from memory, for rows whose source it is: kinesis-local takes longer for a record than either
 * contender, so beside it both are as fast as it is. Records lie there as they go out. Nothing of it is a service but what the
 * contenders and the filling ask for: https://docs.aws.amazon.com/kinesis/latest/APIReference/
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The records of each shard, oldest first, each as the text of an answer. */
type Stream = readonly Buffer[][]

export interface KinesisFromMemory extends AsyncDisposable {
  readonly endpoint: string
}

interface Request {
  readonly StreamName: string
  readonly ShardCount: number
  readonly ShardId: string
  readonly ShardIteratorType: string
  readonly StartingSequenceNumber: string
  readonly ShardIterator: string
  readonly Limit?: number
  readonly Records: readonly { readonly PartitionKey: string; readonly Data: string }[]
}

const keySpace = 1n << 128n
const shardId = (index: number): string => `shardId-${String(index).padStart(12, '0')}`
const shardIndex = (id: string): number => Number(id.slice(-12))
const firstSequence = 10n ** 20n
const sequenceNumber = (index: number): string => String(firstSequence + BigInt(index))

/** Shards share the key space evenly, by the MD5 of the partition key. */
function shardOf(stream: Stream, partitionKey: string): number {
  const hash = BigInt(`0x${createHash('md5').update(partitionKey).digest('hex')}`)
  return Number((hash * BigInt(stream.length)) / keySpace)
}

function positionOf(
  shard: readonly Buffer[],
  { ShardIteratorType: type, StartingSequenceNumber: from }: Request,
): number {
  if (type === 'TRIM_HORIZON') return 0
  if (type === 'LATEST') return shard.length
  if (type === 'AFTER_SEQUENCE_NUMBER') return Number(BigInt(from) - firstSequence) + 1
  throw new Error(`no iterator of type ${type}`)
}

function put(stream: Stream, { Records }: Request): unknown {
  const now = Date.now() / 1_000
  const answers = Records.map(({ PartitionKey, Data }) => {
    const index = shardOf(stream, PartitionKey)
    const shard = stream[index] ?? []
    const SequenceNumber = sequenceNumber(shard.length)
    shard.push(Buffer.from(JSON.stringify({ SequenceNumber, ApproximateArrivalTimestamp: now, Data, PartitionKey })))
    return { SequenceNumber, ShardId: shardId(index) }
  })
  return { FailedRecordCount: 0, Records: answers }
}

const comma = Buffer.from(',')

/** Most records of an answer, and most bytes of their text: 10 MB of data. */
const most = { records: 10_000, bytes: (10_000_000 * 4) / 3 }

function endOfPage(shard: readonly Buffer[], from: number, limit: number): number {
  let end = from
  let bytes = 0
  while (end < shard.length && end - from < limit) {
    bytes += shard[end]?.length ?? 0
    if (bytes > most.bytes) break
    end += 1
  }
  return end
}

function page(streams: ReadonlyMap<string, Stream>, { ShardIterator, Limit = most.records }: Request): Buffer {
  const [name = '', index = '', from = ''] = ShardIterator.split('/')
  const shard = streams.get(name)?.[Number(index)] ?? []
  const end = endOfPage(shard, Number(from), Limit)
  const records = shard.slice(Number(from), end).flatMap((record, at) => (at === 0 ? [record] : [comma, record]))
  const rest = `],"NextShardIterator":"${name}/${index}/${end}","MillisBehindLatest":${end < shard.length ? 1 : 0}}`
  return Buffer.concat([Buffer.from('{"Records":['), ...records, Buffer.from(rest)])
}

function answer(streams: Map<string, Stream>, operation: string, request: Request): unknown {
  if (operation === 'GetRecords') return page(streams, request)
  const { StreamName: name } = request
  if (operation === 'CreateStream')
    streams.set(
      name,
      Array.from({ length: request.ShardCount }, () => []),
    )
  const stream = streams.get(name) ?? []
  if (operation === 'PutRecords') return put(stream, request)
  const width = keySpace / BigInt(stream.length)
  if (operation === 'ListShards')
    return {
      Shards: stream.map((_, index) => ({
        ShardId: shardId(index),
        HashKeyRange: {
          StartingHashKey: String(width * BigInt(index)),
          EndingHashKey: String(width * BigInt(index + 1) - 1n),
        },
        SequenceNumberRange: { StartingSequenceNumber: sequenceNumber(0) },
      })),
    }
  if (operation === 'GetShardIterator') {
    const index = shardIndex(request.ShardId)
    return { ShardIterator: `${name}/${index}/${positionOf(stream[index] ?? [], request)}` }
  }
  return { StreamDescriptionSummary: { StreamName: name, StreamStatus: 'ACTIVE', OpenShardCount: stream.length } }
}

async function respond(
  streams: Map<string, Stream>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const operation = String(request.headers['x-amz-target']).split('.')[1] ?? ''
  const parts: Buffer[] = []
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part)
  const found = answer(streams, operation, JSON.parse(Buffer.concat(parts).toString('utf8')) as Request)
  const content = Buffer.isBuffer(found) ? found : Buffer.from(JSON.stringify(found))
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1', 'content-length': content.length })
  response.end(content)
}

export async function kinesisFromMemory(): Promise<KinesisFromMemory> {
  const streams = new Map<string, Stream>()
  const server = createServer((request, response) => {
    respond(streams, request, response).catch((error: unknown) => {
      response.writeHead(400, { 'content-type': 'application/x-amz-json-1.1' })
      response.end(JSON.stringify({ __type: 'InvalidArgumentException', message: String(error) }))
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
