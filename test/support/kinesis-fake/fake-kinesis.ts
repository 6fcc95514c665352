/** A stream in memory behind the connector's own interface, with faults that no emulator has. */
import type { PutRecordsRequestEntry } from '@aws-sdk/client-kinesis'
import type {
  EntryFailure,
  KinesisApi,
  Page,
  ShardPosition,
} from '../../../bridge-runtime/connectors/kinesis/connection.ts'
import { translate } from '../../../bridge-runtime/connectors/kinesis/errors.ts'

export interface FakeKinesis extends KinesisApi {
  /** Records of the one shard, oldest first. */
  readonly stored: { readonly key: string; readonly data: string }[]
  /** Positions that iterators were asked for. */
  readonly positions: ShardPosition[]
  /** Thrown, as the SDK would, by the next call of that name. */
  readonly failures: Map<'iterator' | 'records' | 'shards' | 'put', object[]>
  /** Sequence numbers before this are gone. */
  trimmedBefore: number
  /** When the stream was made. */
  created: Date
  /** No shard is left. */
  gone: boolean
  closed: boolean
  reads: number
}

/** Sequence numbers that do not sort as text. */
export const sequence = (index: number): string => String(99_999_999_999_999_999_990n + BigInt(index))

export const shardName = 'shardId-000000000000'

export function fakeKinesis(
  respond: (entries: readonly PutRecordsRequestEntry[]) => Promise<readonly EntryFailure[]> = async () => [],
): FakeKinesis {
  const fail = (name: 'iterator' | 'records' | 'shards' | 'put'): void => {
    const failure = fake.failures.get(name)?.shift()
    if (failure !== undefined) throw translate(failure, `kinesis:${name} on stream orders`)
  }
  const fake: FakeKinesis = {
    stream: 'orders',
    stored: [],
    positions: [],
    failures: new Map(),
    trimmedBefore: 0,
    created: new Date(0),
    gone: false,
    closed: false,
    reads: 0,
    describe: async () => ({ status: 'ACTIVE', arn: 'arn:orders', created: fake.created, at: 0 }),
    shards: async () => {
      fail('shards')
      return fake.gone ? [] : [{ ShardId: shardName, HashKeyRange: undefined, SequenceNumberRange: undefined }]
    },
    iterator: async (_, from) => {
      fake.positions.push(from)
      fail('iterator')
      const first =
        from.type === 'AFTER_SEQUENCE_NUMBER' ? Number(BigInt(from.sequenceNumber) - BigInt(sequence(0))) + 1 : 0
      return String(Math.max(first, fake.trimmedBefore))
    },
    records: async (iterator, limit): Promise<Page> => {
      fake.reads += 1
      fail('records')
      const first = Number(iterator)
      const page = fake.stored.slice(first, first + limit)
      const next = first + page.length
      const behind = (fake.stored.length - next) * 1_000
      return {
        records: page.map(({ key, data }, index) => ({
          PartitionKey: key,
          Data: Buffer.from(data),
          SequenceNumber: sequence(first + index),
          ApproximateArrivalTimestamp: new Date((first + index) * 1_000),
        })),
        next: fake.closed && behind === 0 ? undefined : String(next),
        millisecondsBehind: behind,
      }
    },
    put: async (entries) => {
      fail('put')
      return await respond(entries)
    },
    close: () => undefined,
  }
  return fake
}
