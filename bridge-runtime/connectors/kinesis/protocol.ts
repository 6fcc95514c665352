/**
 * The SDK's protocol, with the answer of GetRecords read by hand: it is nearly all that a source receives, and the SDK walks
 * its schema for every field and matches every record's base64 against a regular expression (decision 0028).
 */
import type { _Record, GetRecordsCommandOutput } from '@aws-sdk/client-kinesis'
import { AwsJson1_1Protocol } from '@aws-sdk/core/protocols'
import { boundedBody } from '../requests/bounded-body.ts'

type Reading = Parameters<AwsJson1_1Protocol['deserializeResponse']>

/**
 * Bytes of the largest answer: GetRecords with 10 MiB of data as base64, and 10,000 times the rest of a record, whose key of
 * 256 characters may be written in twelve bytes each.
 * Source: https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
 */
const largestAnswer = Math.ceil((10 * 2 ** 20 * 4) / 3) + 10_000 * (256 * 12 + 256)

const collect = (body: AsyncIterable<Uint8Array>): Promise<Buffer> => boundedBody(body, largestAnswer)

/** For `protocol` of the client's settings. All other answers, and all errors, are the SDK's to read. */
export class KinesisProtocol extends AwsJson1_1Protocol {
  override async deserializeResponse<Output extends Awaited<ReturnType<AwsJson1_1Protocol['deserializeResponse']>>>(
    ...[operation, given, response]: Reading
  ): Promise<Output> {
    const context = { ...given, streamCollector: collect }
    if (operation.name !== 'GetRecords' || this.isErrorResponse(response.statusCode))
      return await super.deserializeResponse<Output>(operation, context, response)
    const page = pageOf((await collect(response.body)).toString('utf8'))
    return { ...page, $metadata: this.deserializeMetadata(response) } as unknown as Output
  }
}

/** As the service writes it: https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html */
interface Answer {
  readonly Records?: readonly {
    readonly Data?: string
    /** Seconds since the epoch. */
    readonly ApproximateArrivalTimestamp?: number
    readonly PartitionKey?: string
    readonly SequenceNumber?: string
  }[]
  readonly NextShardIterator?: string | null
  readonly MillisBehindLatest?: number
}

const damaged = new WeakSet<_Record>()

/** True when the data was not base64, and is here as it came. */
export const isDamaged = (record: _Record): boolean => damaged.has(record)

/** *Errors*: SyntaxError for what is not JSON. */
export function pageOf(text: string): Omit<GetRecordsCommandOutput, '$metadata'> {
  const { Records = [], NextShardIterator, MillisBehindLatest } = JSON.parse(text) as Answer
  return { Records: Records.map(recordOf), NextShardIterator: NextShardIterator ?? undefined, MillisBehindLatest }
}

type AnswerRecord = Exclude<Answer['Records'], undefined>[number]

function recordOf({
  Data: base64 = '',
  ApproximateArrivalTimestamp: seconds,
  PartitionKey,
  SequenceNumber,
}: AnswerRecord): _Record {
  const bytes = bytesOf(base64)
  const record: _Record = {
    Data: bytes ?? Buffer.from(base64, 'utf8'),
    ApproximateArrivalTimestamp: seconds === undefined ? undefined : new Date(Math.round(seconds * 1000)),
    PartitionKey,
    SequenceNumber,
  }
  if (bytes === undefined) damaged.add(record)
  return record
}

/** Undefined for what is not base64: Node skips that, so it shows in the length. */
function bytesOf(base64: string): Buffer | undefined {
  const bytes = Buffer.from(base64, 'base64')
  const whole = base64.length % 4 === 0 && bytes.length === Buffer.byteLength(base64, 'base64')
  return whole ? bytes : undefined
}
