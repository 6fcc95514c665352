/** The calls the connector makes, over the SDK with every setting that matters set by hand. */
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type GetShardIteratorCommandInput,
  KinesisClient,
  type KinesisClientConfig,
  ListShardsCommand,
  DescribeStreamSummaryCommand,
  PutRecordsCommand,
  type PutRecordsRequestEntry,
  type Shard,
  type _Record,
} from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import type { ConnectorContext } from '../define-connector.ts'
import { readToken } from '../requests/secret-text.ts'
import { withholding } from '../requests/withholding.ts'
import { translate } from './errors.ts'
import { KinesisProtocol } from './protocol.ts'
import type { KinesisConnectionConfig } from './schema.ts'

/** Where in a shard to begin. */
export type ShardPosition =
  | { readonly type: 'TRIM_HORIZON' }
  | { readonly type: 'AT_TIMESTAMP'; readonly timestamp: Date }
  | { readonly type: 'AFTER_SEQUENCE_NUMBER'; readonly sequenceNumber: string }

export interface Page {
  readonly records: readonly _Record[]
  /** Undefined at the end of a closed shard. */
  readonly next: string | undefined
  readonly millisecondsBehind: number | undefined
}

/** A stream as it is described. */
export interface StreamSummary {
  /** e.g. `ACTIVE`. */
  readonly status: string
  readonly arn: string
  readonly created: Date | undefined
  /** The service's own time of the answer, in whole seconds, as milliseconds since the epoch. */
  readonly at: number | undefined
}

/** What became of one entry: undefined when it is stored. */
export type EntryFailure = { readonly code: string; readonly message: string } | undefined

/** Every call rejects with a BridgeError; none is repeated here. */
export interface KinesisApi {
  readonly stream: string
  /** Twenty times a second for the whole account, at most. */
  describe(signal?: AbortSignal): Promise<StreamSummary>
  /** All shards, closed ones too. */
  shards(signal?: AbortSignal): Promise<readonly Shard[]>
  iterator(shard: string, from: ShardPosition, signal?: AbortSignal): Promise<string>
  records(iterator: string, limit: number, signal?: AbortSignal): Promise<Page>
  put(entries: PutRecordsRequestEntry[], signal?: AbortSignal): Promise<readonly EntryFailure[]>
  close(): void
}

/** Milliseconds: a connection is made fast or not at all; an answer may be 10 MiB long. */
const connectionTimeout = 5_000
const requestTimeout = 30_000
/** The SDK takes credentials that expire within five minutes as expired: so they are read again every minute. */
const rereadAfter = 5 * 60_000 + 60_000

export function connect(config: KinesisConnectionConfig, context: ConnectorContext): KinesisApi {
  const { endpoint, region, streamARN, streamName } = config
  const { secret, withhold } = withholding(context.secret)
  const credentials = staticCredentials(config, { ...context, secret })
  const client = new KinesisClient({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    protocol: KinesisProtocol,
    // The bridge repeats by itself, in order; a hidden repetition would be out of its sight.
    maxAttempts: 1,
    // HTTP/1.1 over a pool of connections, also for https: one path for the service and its emulators. The SDK's default is HTTP/2.
    requestHandler: new NodeHttpHandler({
      connectionTimeout,
      httpAgent: { keepAlive: true, maxSockets: 128 },
      httpsAgent: { keepAlive: true, maxSockets: 128 },
    }),
  })
  // It copies every record for a line of log that nobody writes.
  client.middlewareStack.remove('loggerMiddleware')
  const target = streamARN === undefined ? { StreamName: streamName } : { StreamARN: streamARN }
  const stream = streamName ?? streamARN?.split('/').at(-1) ?? ''

  const call = async <T>(
    action: string,
    signal: AbortSignal | undefined,
    send: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    try {
      return await withinDeadline(signal, send)
    } catch (thrown) {
      throw translate(thrown, `kinesis:${action} on stream ${stream} in ${endpoint ?? region}`, withhold)
    }
  }

  return {
    stream,
    describe: (signal) =>
      call('DescribeStreamSummary', signal, async (abortSignal) => {
        const command = new DescribeStreamSummaryCommand(target)
        let at: number | undefined
        command.middlewareStack.add(
          (next) => async (request) => {
            const answer = await next(request)
            at = dateIn(answer.response)
            return answer
          },
          { step: 'deserialize' },
        )
        const { StreamDescriptionSummary: found } = await client.send(command, { abortSignal })
        return {
          status: found?.StreamStatus ?? '',
          arn: found?.StreamARN ?? '',
          created: found?.StreamCreationTimestamp,
          at,
        }
      }),
    shards: (signal) =>
      call('ListShards', signal, async (abortSignal) => {
        const found: Shard[] = []
        let token: string | undefined
        do {
          // A continued listing must not name the stream again; the ARN is still needed to find another account's.
          const named = token === undefined ? target : { ...(streamARN === undefined ? {} : target), NextToken: token }
          const answer = await client.send(new ListShardsCommand(named), { abortSignal })
          found.push(...(answer.Shards ?? []))
          token = answer.NextToken
        } while (token !== undefined)
        return found
      }),
    iterator: (shard, from, signal) =>
      call('GetShardIterator', signal, async (abortSignal) => {
        const request = { ...target, ShardId: shard, ...iteratorFrom(from) }
        const answer = await client.send(new GetShardIteratorCommand(request), { abortSignal })
        return answer.ShardIterator ?? ''
      }),
    records: (iterator, limit, signal) =>
      call('GetRecords', signal, async (abortSignal) => {
        const request = {
          ShardIterator: iterator,
          Limit: limit,
          ...(streamARN === undefined ? {} : { StreamARN: streamARN }),
        }
        const answer = await client.send(new GetRecordsCommand(request), { abortSignal })
        return {
          records: answer.Records ?? [],
          next: answer.NextShardIterator,
          millisecondsBehind: answer.MillisBehindLatest,
        }
      }),
    put: (entries, signal) =>
      call('PutRecords', signal, async (abortSignal) => {
        const answer = await client.send(new PutRecordsCommand({ ...target, Records: entries }), { abortSignal })
        return entries.map((_, index) => {
          const result = answer.Records?.[index]
          if (result?.SequenceNumber !== undefined && result.ErrorCode === undefined) return undefined
          return { code: result?.ErrorCode ?? 'InternalFailure', message: result?.ErrorMessage ?? 'no result' }
        })
      }),
    close: () => client.destroy(),
  }
}

/** The service's clock, as its answer says it. */
function dateIn(response: unknown): number | undefined {
  const { headers } = Object(response) as { readonly headers?: Readonly<Record<string, string>> }
  const time = Date.parse(headers?.['date'] ?? '')
  return Number.isNaN(time) ? undefined : time
}

/** Ends a call that takes too long as a whole: the SDK's own deadline is over once the headers of the answer are there. */
async function withinDeadline<T>(
  signal: AbortSignal | undefined,
  send: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController()
  const abort = (): void => stop.abort()
  const timer = setTimeout(abort, requestTimeout)
  signal?.addEventListener('abort', abort, { once: true })
  if (signal?.aborted === true) abort()
  try {
    return await send(stop.signal)
  } catch (thrown) {
    const late = stop.signal.aborted && signal?.aborted !== true
    if (!late) throw thrown
    throw Object.assign(new Error(`no answer within ${requestTimeout / 1000} s`), { name: 'TimeoutError' })
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}

function iteratorFrom(from: ShardPosition): Pick<
  GetShardIteratorCommandInput,
  'StartingSequenceNumber' | 'Timestamp'
> & {
  ShardIteratorType: ShardPosition['type']
} {
  switch (from.type) {
    case 'TRIM_HORIZON':
      return { ShardIteratorType: from.type }
    case 'AT_TIMESTAMP':
      return { ShardIteratorType: from.type, Timestamp: from.timestamp }
    case 'AFTER_SEQUENCE_NUMBER':
      return { ShardIteratorType: from.type, StartingSequenceNumber: from.sequenceNumber }
  }
}

/** Keys from mounted Secrets, followed when they are rotated; undefined: the SDK's default chain. */
function staticCredentials(
  { auth }: KinesisConnectionConfig,
  { secret, clock }: ConnectorContext,
): Exclude<KinesisClientConfig['credentials'], undefined> | undefined {
  const { accessKeyIdSecretRef, secretAccessKeySecretRef, sessionTokenSecretRef } = auth
  if (accessKeyIdSecretRef === undefined || secretAccessKeySecretRef === undefined) return undefined
  return async () => {
    const [accessKeyId, secretAccessKey, sessionToken] = await Promise.all([
      readToken(secret, accessKeyIdSecretRef, 'an access key id'),
      readToken(secret, secretAccessKeySecretRef, 'a secret access key'),
      sessionTokenSecretRef === undefined ? undefined : readToken(secret, sessionTokenSecretRef, 'a session token'),
    ])
    return {
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      expiration: new Date(clock.now() + rereadAfter),
    }
  }
}
