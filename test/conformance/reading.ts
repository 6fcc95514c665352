/** The least an engine can be: asks each partition for records, keeps them, and commits when told to. */
import { setTimeout as sleep } from 'node:timers/promises'
import type {
  BridgeRecord,
  PartitionReader,
  Position,
  Source,
  SourceBatch,
  SourceHost,
} from '../../bridge-runtime/core/contracts.ts'
import { asBridgeError, type BridgeError } from '../../bridge-runtime/core/errors.ts'

export interface Received extends BridgeRecord {
  readonly partition: string
}

export interface Reading {
  readonly received: readonly Received[]
  /** Owned now, by partition. */
  readonly readers: ReadonlyMap<string, PartitionReader>
  /** What a reader gave, in order. */
  batchesOf(reader: PartitionReader): readonly SourceBatch[]
  /** Every reader ever handed out. */
  readonly assigned: readonly PartitionReader[]
  /** What the connection, polls, commits and runs reported. */
  readonly errors: readonly BridgeError[]
  readonly connected: boolean
  readonly partitions: number | undefined
  /** Commits a position, or all that was received. */
  commit(partition: string, position: Position): Promise<void>
  commitAll(): Promise<void>
  /** Ends in good order, committing all that was received; or as if the process died, committing nothing. */
  stop(how?: 'commit' | 'abandon'): Promise<void>
}

export interface ReadingOptions {
  /** Partitions that are not asked while it says so. */
  readonly asks?: (partition: string) => boolean
  /** Commits each batch as it comes. */
  readonly settles?: boolean
}

/** Runs a source until it is stopped; a run that fails is repeated, as the engine does. */
export function startReading(source: Source, { asks = () => true, settles = false }: ReadingOptions = {}): Reading {
  const received: Received[] = []
  const assigned: PartitionReader[] = []
  const errors: BridgeError[] = []
  const readers = new Map<string, PartitionReader>()
  const polls = new Map<PartitionReader, { readonly stop: AbortController; readonly done: Promise<void> }>()
  const batches = new Map<PartitionReader, SourceBatch[]>()
  const stopped = new AbortController()
  let connected = false
  let partitions: number | undefined
  let ending: 'commit' | 'abandon' = 'commit'

  const poll = async (reader: PartitionReader, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      if (!asks(reader.partition)) {
        await sleep(20)
        continue
      }
      try {
        const batch = await reader.poll(signal)
        if (signal.aborted || batch === 'end') return
        if (batch === undefined) continue
        for (const record of batch.records()) received.push({ ...record, partition: reader.partition })
        batches.set(reader, [...(batches.get(reader) ?? []), batch])
        if (settles) await settleUpTo(reader, [batch], batch.last)
      } catch (thrown) {
        errors.push(asBridgeError(thrown))
        await sleep(100)
      }
    }
  }
  const commitLast = async (reader: PartitionReader): Promise<void> => {
    const last = batches.get(reader)?.at(-1)
    if (last !== undefined) await settleUpTo(reader, batches.get(reader) ?? [], last.last)
  }
  const host: SourceHost = {
    assigned(reader) {
      assigned.push(reader)
      readers.set(reader.partition, reader)
      const stop = new AbortController()
      polls.set(reader, { stop, done: poll(reader, stop.signal) })
    },
    async revoked(reader, how) {
      polls.get(reader)?.stop.abort()
      await polls.get(reader)?.done
      if (how === 'drain' && (ending === 'commit' || !stopped.signal.aborted)) await commitLast(reader)
      if (readers.get(reader.partition) === reader) readers.delete(reader.partition)
    },
    connection(error) {
      connected = error === undefined
      if (error !== undefined) errors.push(error)
    },
    waiting: () => undefined,
    partitions(total) {
      partitions = total
    },
    repeated: () => undefined,
  }
  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      try {
        await source.run(host, stopped.signal)
      } catch (thrown) {
        errors.push(asBridgeError(thrown))
        for (const reader of readers.values()) await host.revoked(reader, 'lost')
        await sleep(100)
      }
    }
  }
  const running = run()
  return {
    received,
    readers,
    assigned,
    batchesOf: (reader) => batches.get(reader) ?? [],
    errors,
    get connected() {
      return connected
    },
    get partitions() {
      return partitions
    },
    async commit(partition, position) {
      const reader = readers.get(partition)
      if (reader === undefined) throw new RangeError(`${partition} is not owned`)
      await settleUpTo(reader, batches.get(reader) ?? [], position)
    },
    async commitAll() {
      for (const reader of readers.values()) await commitLast(reader)
    },
    async stop(how = 'commit') {
      ending = how
      stopped.abort()
      await running
      await source[Symbol.asyncDispose]()
    },
  }
}

/** Tells a reader, in its own way, that a record and all that it gave before it are settled. */
export async function settleUpTo(
  { settlement }: PartitionReader,
  batches: readonly SourceBatch[],
  position: Position,
): Promise<void> {
  if (settlement.kind === 'watermark') return settlement.commit({ position, ended: false })
  for (const batch of batches) {
    const end = batch.records().findIndex((record) => record.position === position)
    settlement.settled(batch, end === -1 ? 'all' : Array.from({ length: end + 1 }, (_, index) => index))
    if (end !== -1) return
  }
}
