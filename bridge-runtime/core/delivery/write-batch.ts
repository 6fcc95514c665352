import type { InFlightBatch } from '../commit/in-flight-batch.ts'
import type { BridgeRecord, Position, SinkBatch, SinkLimits } from '../contracts.ts'

/** Part of a batch on its way through one lane. */
export interface Slice {
  readonly batch: InFlightBatch
  /** Which outputs, ascending; undefined means the whole batch. */
  readonly indexes: readonly number[] | undefined
  readonly count: number
  readonly bytes: number
}

/** Outputs of one batch that something is told of. */
export interface Part {
  readonly batch: InFlightBatch
  readonly indexes: readonly number[] | 'all'
}

/** Payload bytes of one record: key, value and headers. */
export function recordBytes(record: BridgeRecord): number {
  let bytes = (record.key?.length ?? 0) + (record.value?.length ?? 0)
  for (const { name, value } of record.headers) bytes += name.length + (value?.length ?? 0)
  return bytes
}

/** The whole batch, with the payload bytes of its outputs. */
export const wholeSlice = (batch: InFlightBatch, bytes = batch.source.bytes): Slice => ({
  batch,
  indexes: undefined,
  count: batch.count,
  bytes,
})

export function sliceOf(batch: InFlightBatch, indexes: readonly number[]): Slice {
  const records = batch.records()
  let bytes = 0
  for (const index of indexes) {
    const record = records[index]
    if (record !== undefined) bytes += recordBytes(record)
  }
  return { batch, indexes, count: indexes.length, bytes }
}

/** Cuts a slice so that the first part fits; the first part has at least one record. */
function cut(slice: Slice, maxRecords: number, maxBytes: number): readonly [Slice, Slice | undefined] {
  const records = slice.batch.records()
  const indexes = slice.indexes ?? Array.from({ length: slice.count }, (_, index) => index)
  let bytes = 0
  let count = 0
  for (const index of indexes) {
    const record = records[index]
    const size = record === undefined ? 0 : recordBytes(record)
    if (count > 0 && (count >= maxRecords || bytes + size > maxBytes)) break
    bytes += size
    count += 1
  }
  if (count === indexes.length) return [slice, undefined]
  return [
    { batch: slice.batch, indexes: indexes.slice(0, count), count, bytes },
    sliceOf(slice.batch, indexes.slice(count)),
  ]
}

/** Takes from the front of a lane's queue what one sink request may hold: at least one record, if there is any. */
export function take(queue: Slice[], limits: SinkLimits): Slice[] {
  const taken: Slice[] = []
  let records = 0
  let bytes = 0
  for (let slice = queue[0]; slice !== undefined; slice = queue[0]) {
    const fits = records + slice.count <= limits.maxRecords && bytes + slice.bytes <= limits.maxBytes
    if (!fits && taken.length > 0) break
    queue.shift()
    const [now, later] = fits ? [slice, undefined] : cut(slice, limits.maxRecords, limits.maxBytes)
    if (later !== undefined) queue.unshift(later)
    taken.push(now)
    records += now.count
    bytes += now.bytes
    if (later !== undefined) break
  }
  return taken
}

const positionOf = ({ batch, indexes }: Slice, at: number): Position =>
  batch.sourceRecord(indexes?.at(at) as number).position

/** Where the records of a write come from. */
export type Origin = Pick<SinkBatch, 'origin' | 'partition' | 'stream' | 'epoch'>

/** What one sink request carries: slices in order, and the way back from an index to its batch. */
export class WriteBatch implements SinkBatch {
  readonly origin: string
  readonly partition: string
  readonly stream: string
  readonly epoch: number
  readonly slices: readonly Slice[]
  readonly count: number
  readonly bytes: number
  readonly first: Position
  readonly last: Position
  /** Writes that were tried with it before. */
  attempts = 0
  #records: readonly BridgeRecord[] | undefined

  /** @param slices at least one, each with at least one record */
  constructor({ origin, partition, stream, epoch }: Origin, slices: readonly Slice[]) {
    this.origin = origin
    this.partition = partition
    this.stream = stream
    this.epoch = epoch
    this.slices = slices
    this.count = slices.reduce((sum, slice) => sum + slice.count, 0)
    this.bytes = slices.reduce((sum, slice) => sum + slice.bytes, 0)
    const [begin, end] = [slices[0] as Slice, slices.at(-1) as Slice]
    this.first = begin.indexes === undefined ? begin.batch.source.first : positionOf(begin, 0)
    this.last = end.indexes === undefined ? end.batch.source.last : positionOf(end, -1)
  }

  records(): readonly BridgeRecord[] {
    this.#records ??= this.#collect()
    return this.#records
  }

  /** The records at the given ascending indexes, as a batch of their own. */
  only(wanted: readonly number[]): WriteBatch {
    return new WriteBatch(
      this,
      this.locate(wanted).map(({ batch, indexes }) => sliceOf(batch, indexes)),
    )
  }

  /** All of it. */
  parts(): readonly Part[] {
    return this.slices.map(({ batch, indexes }) => ({ batch, indexes: indexes ?? 'all' }))
  }

  /** Ascending indexes of this batch → outputs of each batch it has slices of. */
  locate(wanted: readonly number[]): readonly { readonly batch: InFlightBatch; readonly indexes: readonly number[] }[] {
    const located: { batch: InFlightBatch; indexes: number[] }[] = []
    let at = 0
    let base = 0
    for (const { batch, indexes, count } of this.slices) {
      const mine: number[] = []
      for (let index = wanted[at]; index !== undefined && index < base + count; index = wanted[at]) {
        mine.push(indexes === undefined ? index - base : (indexes[index - base] as number))
        at += 1
      }
      if (mine.length > 0) located.push({ batch, indexes: mine })
      base += count
    }
    return located
  }

  #collect(): readonly BridgeRecord[] {
    const [first] = this.slices
    if (first !== undefined && this.slices.length === 1 && first.indexes === undefined) return first.batch.records()
    const all: BridgeRecord[] = []
    for (const { batch, indexes } of this.slices) {
      const records = batch.records()
      if (indexes === undefined) for (const record of records) all.push(record)
      else for (const index of indexes) all.push(records[index] as BridgeRecord)
    }
    return all
  }
}
