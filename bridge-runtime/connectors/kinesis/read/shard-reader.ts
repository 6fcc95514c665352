import type { _Record } from '@aws-sdk/client-kinesis'
import type { Clock } from '../../../core/clock.ts'
import type { BridgeRecord, Lag, PartitionReader, Settlement, SourceBatch } from '../../../core/contracts.ts'
import { asBridgeError, BridgeError } from '../../../core/errors.ts'
import { gapAdvice } from '../../../history/advice.ts'
import type { FoundStream } from '../../../history/content.ts'
import type { Ownership } from '../../../leases/partitioned-source.ts'
import type { KinesisApi, Page, ShardPosition } from '../connection.ts'
import { sdkName } from '../errors.ts'
import { ShardLag } from './lag.ts'
import { PageLimit } from './page-limit.ts'
import { recordKey } from '../write/partition-key.ts'
import { isDamaged } from '../protocol.ts'
import { resumeAfter, startAt } from '../shards/lineage.ts'

export interface ShardReaderOptions {
  readonly api: KinesisApi
  /** Which stream it is that has the name now. */
  identify(): Promise<FoundStream>
  /** Milliseconds between two reads of a shard that is caught up. */
  readonly interval: number
  readonly maxRecords: number
  readonly onDataGap: 'Stop' | 'Continue'
  readonly clock: Clock
  readonly random: () => number
}

/** A shard answers five reads a second, to all of its consumers together. */
const shortestInterval = 200
const longestBackoff = 10_000
/** Throttled reads in a row that are not worth a word: other consumers may share the shard. */
const maxThrottles = 3

/** Reads one shard from its checkpoint to its end. */
export class ShardReader implements PartitionReader {
  readonly stream = undefined
  readonly partition: string
  readonly epoch: number
  readonly settlement: Settlement
  readonly #ownership: Ownership
  readonly #options: ShardReaderOptions
  readonly #lag: ShardLag
  readonly #limit: PageLimit
  #position: ShardPosition
  #iterator: string | undefined
  #readAt = Number.NEGATIVE_INFINITY
  #throttled = 0
  #closed = false

  constructor(ownership: Ownership, options: ShardReaderOptions) {
    const { partition, epoch, checkpoint, start } = ownership
    this.partition = partition
    this.epoch = epoch
    this.#ownership = ownership
    this.#options = options
    this.#lag = new ShardLag(options.interval)
    this.#limit = new PageLimit(options.maxRecords)
    this.#position = checkpoint.position === undefined ? startAt(start) : resumeAfter(checkpoint.position)
    this.#closed = checkpoint.ended
    this.settlement = {
      kind: 'watermark',
      commit: async (progress) => {
        await ownership.commit(progress)
        this.#lag.committed(progress.position)
      },
    }
  }

  lag(): Lag {
    return this.#lag.at(this.#options.clock.monotonic())
  }

  async poll(signal: AbortSignal): Promise<SourceBatch | 'end' | undefined> {
    if (this.#closed) return 'end'
    const { clock } = this.#options
    const wait = this.#readAt - clock.monotonic()
    if (wait > 0) await clock.sleep(wait, signal)
    if (signal.aborted) return undefined
    try {
      return this.#take(await this.#read(signal))
    } catch (thrown) {
      if (signal.aborted) return undefined
      return await this.#failed(asBridgeError(thrown), signal)
    }
  }

  async #read(signal: AbortSignal): Promise<Page> {
    const { api, clock } = this.#options
    this.#readAt = clock.monotonic() + shortestInterval
    this.#iterator ??= await this.#begin(signal)
    return await api.records(this.#iterator, this.#limit.records, signal)
  }

  /** An iterator of the stream that the position is of: one that has only its name is not read. */
  async #begin(signal: AbortSignal): Promise<string> {
    const iterator = await this.#options.api.iterator(this.partition, this.#position, signal)
    await this.#checkStream()
    return iterator
  }

  async #checkStream(): Promise<void> {
    const { stream, lookAgain } = this.#ownership
    const { birth } = await this.#options.identify()
    if (birth === undefined || stream.birth === undefined || birth === stream.birth) return
    lookAgain()
    throw new BridgeError(`${stream.name} was made again while shard ${this.partition} was read`, {
      kind: 'retryable',
      reason: 'StreamReplaced',
    })
  }

  #take({ records, next, millisecondsBehind = 0 }: Page): SourceBatch | 'end' | undefined {
    const { clock, interval } = this.#options
    const now = clock.monotonic()
    const caughtUp = millisecondsBehind === 0 && records.length < this.#limit.records
    this.#throttled = 0
    this.#readAt = Math.max(this.#readAt, caughtUp ? now + interval : now)
    this.#iterator = next
    this.#closed = next === undefined
    const batch = batchOf(records)
    this.#lag.read(
      now,
      millisecondsBehind,
      batch && { last: batch.last, arrived: arrival(records.at(-1)), firstArrived: arrival(records[0]) },
    )
    if (batch !== undefined) {
      this.#position = resumeAfter(batch.last)
      this.#limit.read(batch.count, batch.bytes)
    }
    return batch ?? (this.#closed ? 'end' : undefined)
  }

  async #failed(error: BridgeError, signal: AbortSignal): Promise<'end' | undefined> {
    if (error.reason === 'Throttled') return this.#backOff(error)
    // The next read begins behind the last record that was read, whatever became of the iterator.
    this.#iterator = undefined
    if (sdkName(error) === 'ExpiredIteratorException') return undefined
    const resuming = this.#position.type === 'AFTER_SEQUENCE_NUMBER'
    if (error.reason === 'StreamNotFound') return await this.#missing(error, signal)
    if (error.reason === 'InvalidRequest' && resuming)
      return await this.#gap('the service does not know the last position')
    throw error
  }

  #backOff(error: BridgeError): undefined {
    const { clock, random } = this.#options
    this.#throttled += 1
    const longest = Math.min(longestBackoff, shortestInterval * 2 ** this.#throttled)
    this.#readAt = clock.monotonic() + shortestInterval + random() * longest
    if (this.#throttled > maxThrottles) throw error
  }

  /** Something was not found: the stream, the shard, or (with some servers) the position. */
  async #missing(error: BridgeError, signal: AbortSignal): Promise<'end' | undefined> {
    const shards = await this.#options.api.shards(signal)
    const exists = shards.some(({ ShardId }) => ShardId === this.partition)
    const resuming = this.#position.type === 'AFTER_SEQUENCE_NUMBER'
    if (exists && !resuming) throw error
    if (exists) return await this.#gap('the service has no record at the last position')
    // Every record of it is past the retention period. Unless it was begun, none of them was ever the bridge's to read.
    if (resuming && this.#options.onDataGap === 'Stop') await this.#gap('the shard has passed the retention period')
    this.#closed = true
    return 'end'
  }

  /** Goes on at the earliest record where a person has decided so. */
  async #gap(what: string): Promise<undefined> {
    await this.#checkStream()
    if (this.#options.onDataGap === 'Stop') {
      throw new BridgeError(
        `shard ${this.partition} of stream ${this.#options.api.stream}: ${what}; records may be lost: ${gapAdvice()}`,
        { kind: 'fatal', reason: 'DataGap' },
      )
    }
    this.#position = { type: 'TRIM_HORIZON' }
  }
}

/** Undefined where the service does not say. */
const arrival = (record: _Record | undefined): number | undefined => record?.ApproximateArrivalTimestamp?.getTime()

function toRecord(record: _Record): BridgeRecord {
  const { Data: data = new Uint8Array(), PartitionKey = '', SequenceNumber = '' } = record
  return {
    key: recordKey(PartitionKey),
    value: Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength),
    headers: [],
    timestamp: arrival(record) ?? 0,
    position: SequenceNumber,
    ...(isDamaged(record) ? { poison: notBase64 } : {}),
  }
}

const notBase64 = new BridgeError('the service gives its data as text that is not base64', {
  kind: 'poison',
  reason: 'UnreadableRecord',
})

/** Undefined for an empty page, which is normal: a read covers a stretch of the shard that may hold nothing. */
function batchOf(page: readonly _Record[]): (SourceBatch & { readonly last: string }) | undefined {
  const first = page[0]
  const last = page.at(-1)
  if (first === undefined || last === undefined) return undefined
  let bytes = 0
  for (const { Data, PartitionKey } of page) bytes += (Data?.length ?? 0) + (PartitionKey?.length ?? 0)
  let records: readonly BridgeRecord[] | undefined
  return {
    count: page.length,
    bytes,
    first: first.SequenceNumber ?? '',
    last: last.SequenceNumber ?? '',
    lastTimestamp: arrival(last) ?? 0,
    records: () => {
      records ??= page.map(toRecord)
      return records
    },
  }
}
