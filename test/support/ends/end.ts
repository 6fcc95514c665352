/** One stream as tests drive it, at either end of a bridge: a real server, and a client that is not the bridge's own. */
import { fileLeases } from '../../../bridge-runtime/lease-stores/file/file.ts'
import type { RuntimeOptions } from '../runtime-process.ts'
import type { TestRecord, TestRun } from '../verifier.ts'

export interface End extends AsyncDisposable, Pick<StreamClient, 'send' | 'collect'> {
  /** `Kafka`, `Kinesis`, ... */
  readonly broker: string
  /** Unique, so that ends share a server. */
  readonly stream: string
  /** The stream as a source, and as a sink, of a bridge: with the defaults of a manifest. */
  readonly source: RuntimeOptions['bridge']['source']
  readonly sink: RuntimeOptions['bridge']['sink']
  /** The source for tests of failures, which would wait for its defaults: it looks around more often. */
  readonly hastySource: RuntimeOptions['bridge']['source']
  readonly secrets: NonNullable<RuntimeOptions['secrets']>
  /** Milliseconds of silence after which the other replicas of the hasty source take over from one. */
  readonly patience: number
  /** Whether its records have headers: then `send` adds the mark, and `collect` hands it over. */
  readonly headers: boolean
  /** The source's checkpoints by partition, as numbers that grow; empty where messages are acknowledged one by one. */
  checkpoints(leases: string): Promise<ReadonlyMap<string, bigint>>
}

/** Sends to a stream and looks at what arrived there. */
export interface StreamClient {
  /** Resolves when all are stored. */
  readonly send: (records: readonly TestRecord[]) => Promise<void>
  /** Hands what newly arrived to the checker, each partition in its order. */
  readonly collect: (run: TestRun) => Promise<void>
  readonly close: () => Promise<void>
}

export type OpenEnd = (partitions?: number) => Promise<End>

/** Those of sources that keep them in leases. */
export async function leasedCheckpoints(leases: string): Promise<Map<string, bigint>> {
  const found = new Map<string, bigint>()
  for (const { partition, checkpoint } of await fileLeases(leases).list()) {
    const digits = /^[0-9]+/.exec(String(checkpoint.position ?? ''))?.[0]
    if (digits !== undefined) found.set(partition, BigInt(digits))
  }
  return found
}

/** The header that tells which record it came with. */
export const markHeader = 'test-mark'

/** A client that is made when it is first needed, and closed if it was. */
export function lazily<T>(make: () => Promise<T>, close: (made: T) => Promise<void>) {
  let made: Promise<T> | undefined
  return {
    get: (): Promise<T> => (made ??= make()),
    async close() {
      if (made !== undefined) await close(await made)
    },
  }
}

/** The records in their order, in parts that one request takes: each has at least one, and at most so many bytes of values and some. */
export function* parts(records: readonly TestRecord[], maxBytes: number, maxCount = 500): Generator<TestRecord[]> {
  let part: TestRecord[] = []
  let bytes = 0
  for (const record of records) {
    const size = record.value.length + 200
    if (part.length > 0 && (bytes + size > maxBytes || part.length >= maxCount)) {
      yield part
      part = []
      bytes = 0
    }
    part.push(record)
    bytes += size
  }
  if (part.length > 0) yield part
}
