import { crc32 } from 'node:zlib'
import type {
  BridgeRecord,
  PartitionReader,
  Progress,
  Source,
  SourceBatch,
  SourceHost,
} from '../../../bridge-runtime/core/contracts.ts'
import { type BridgeError, fenced } from '../../../bridge-runtime/core/errors.ts'
import type { TestRecord } from '../verifier.ts'

export interface AcceptedCommit {
  readonly partition: number
  readonly epoch: number
  readonly progress: Progress
}

/** A partitioned log with a committed offset and an owner's epoch per partition: what is left when a process dies. */
export class MemoryLog {
  readonly partitions: BridgeRecord[][]
  /** The next offset to read, per partition. */
  readonly committed: number[]
  readonly ended: boolean[]
  readonly epochs: number[]
  /** Accepted commits, in order. */
  readonly commits: AcceptedCommit[] = []

  constructor(partitions: number) {
    this.partitions = Array.from({ length: partitions }, () => [])
    this.committed = Array.from({ length: partitions }, () => 0)
    this.ended = Array.from({ length: partitions }, () => false)
    this.epochs = Array.from({ length: partitions }, () => 0)
  }

  append(partition: number, key: string | null, value: string | Buffer | null): void {
    const records = this.partitions[partition]
    if (records === undefined) throw new RangeError(`no partition ${partition}`)
    records.push({
      key: key === null ? null : Buffer.from(key),
      value: typeof value === 'string' ? Buffer.from(value) : value,
      headers: [],
      timestamp: Date.UTC(2026, 0, 1) + records.length,
      position: records.length,
    })
  }

  /** Refuses an epoch that is not the partition's newest. */
  commit(commit: AcceptedCommit): void {
    const { partition, epoch, progress } = commit
    if (epoch !== this.epochs[partition]) throw fenced(`memory/${partition}`)
    this.commits.push(commit)
    if (progress.position !== undefined) this.committed[partition] = Number(progress.position) + 1
    if (progress.ended) this.ended[partition] = true
  }
}

export interface MemorySourceOptions {
  /** The partitions end where the log ends now, and `run` resolves when all of them are settled. */
  readonly finite?: boolean
  /** What is handed out of a record, each time it is read. Default: the record of the log. */
  readonly copy?: (record: BridgeRecord) => BridgeRecord
  /** Records of one poll. Default 10. */
  readonly batch?: number
  /** Thrown one after the other by `run`, by a commit of any partition, by the polls of a partition. */
  readonly runErrors?: BridgeError[]
  readonly commitErrors?: BridgeError[]
  readonly pollErrors?: ReadonlyMap<number, BridgeError[]>
}

/** Reads a MemoryLog. Partitions are named `memory/0` and so on. */
export class MemorySource implements Source {
  /** Owned now. */
  readonly readers: PartitionReader[] = []
  /** Polls so far, per partition. */
  readonly polls: number[]
  readonly #log: MemoryLog
  readonly #options: MemorySourceOptions
  #host: SourceHost | undefined
  #finished: () => void = () => undefined

  constructor(log: MemoryLog, options: MemorySourceOptions = {}) {
    this.#log = log
    this.#options = options
    this.polls = log.partitions.map(() => 0)
  }

  async run(host: SourceHost, signal: AbortSignal): Promise<void> {
    this.readers.length = 0
    const error = this.#options.runErrors?.shift()
    if (error !== undefined) throw error
    const finished = new Promise<void>((resolve) => {
      this.#finished = resolve
    })
    this.#host = host
    host.partitions(this.#log.partitions.length)
    for (const partition of this.#log.partitions.keys()) this.assign(partition)
    host.connection(undefined)
    await Promise.race([finished, aborted(signal)])
    await Promise.all(this.readers.map((reader) => host.revoked(reader, 'drain')))
  }

  /** Hands the partition out from its committed offset, under the next epoch. */
  assign(partition: number): void {
    const epoch = (this.#log.epochs[partition] ?? 0) + 1
    this.#log.epochs[partition] = epoch
    const reader = this.#reader(partition, epoch)
    this.readers.push(reader)
    this.#host?.assigned(reader)
  }

  /** Somebody else has the partition: what this reader commits from now on is refused. */
  async lose(reader: PartitionReader): Promise<void> {
    const at = this.readers.indexOf(reader)
    if (at < 0) return
    this.readers.splice(at, 1)
    const partition = Number(reader.partition.slice('memory/'.length))
    this.#log.epochs[partition] = (this.#log.epochs[partition] ?? 0) + 1
    await this.#host?.revoked(reader, 'lost')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve()
  }

  #reader(partition: number, epoch: number): PartitionReader {
    const log = this.#log
    const { finite = false, batch = 10, pollErrors, commitErrors, copy } = this.#options
    const records = log.partitions[partition] ?? []
    let next = log.committed[partition] ?? 0
    return {
      partition: `memory/${partition}`,
      stream: undefined,
      epoch,
      settlement: {
        kind: 'watermark',
        commit: (progress) => {
          const error = commitErrors?.shift()
          if (error !== undefined) return Promise.reject(error)
          return new Promise((resolve) => {
            log.commit({ partition, epoch, progress })
            if (log.ended.every(Boolean)) this.#finished()
            resolve()
          })
        },
      },
      poll: async (signal) => {
        this.polls[partition] = (this.polls[partition] ?? 0) + 1
        const error = pollErrors?.get(partition)?.shift()
        if (error !== undefined) throw error
        await new Promise((resolve) => setImmediate(resolve))
        const polled = records.slice(next, next + batch)
        next += polled.length
        if (polled.length > 0) return memoryBatch(copy === undefined ? polled : polled.map(copy))
        if (finite) return 'end'
        await Promise.race([aborted(signal), new Promise((resolve) => setTimeout(resolve, 5))])
        return undefined
      },
      lag: () => ({ kind: 'known', records: records.length - (log.committed[partition] ?? 0) }),
    }
  }
}

/** A batch of at least one record. */
export function memoryBatch(records: readonly BridgeRecord[]): SourceBatch {
  const first = records[0]
  const last = records.at(-1)
  if (first === undefined || last === undefined) throw new RangeError('a batch is never empty')
  return {
    count: records.length,
    bytes: records.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 0),
    first: first.position,
    last: last.position,
    lastTimestamp: last.timestamp,
    records: () => records,
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

/** A source of these records, spread over partitions by key; it ends when all are settled. */
export function recordsOf(records: readonly TestRecord[], partitions = 1): MemorySource {
  const log = new MemoryLog(partitions)
  for (const { key, value } of records) log.append(crc32(key) % partitions, key, value)
  return new MemorySource(log, { finite: true, batch: 500 })
}
