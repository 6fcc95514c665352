import type { BridgeRecord, OpaqueBytes, SinkBatch, SinkLimits } from './contracts.ts'
import type { Tracked } from './watermark.ts'

/** Part of a source batch on its way through one lane. */
export interface Slice {
  readonly tracked: Tracked
  /** Which records, ascending; undefined means the whole batch. */
  readonly indexes: readonly number[] | undefined
  readonly count: number
  readonly bytes: number
}

export const wholeSlice = (tracked: Tracked): Slice => ({
  tracked,
  indexes: undefined,
  count: tracked.batch.count,
  bytes: tracked.batch.bytes,
})

/** Payload bytes of one record: key, value and headers. */
export function recordBytes(record: BridgeRecord): number {
  let bytes = (record.key?.length ?? 0) + (record.value?.length ?? 0)
  for (const { name, value } of record.headers) bytes += name.length + (value?.length ?? 0)
  return bytes
}

export function sliceOf(tracked: Tracked, indexes: readonly number[]): Slice {
  const records = tracked.batch.records()
  let bytes = 0
  for (const index of indexes) {
    const record = records[index]
    if (record !== undefined) bytes += recordBytes(record)
  }
  return { tracked, indexes, count: indexes.length, bytes }
}

/** Cuts a slice so that the first part fits; the first part has at least one record. */
function cut(slice: Slice, maxRecords: number, maxBytes: number): readonly [Slice, Slice | undefined] {
  const records = slice.tracked.batch.records()
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
    { tracked: slice.tracked, indexes: indexes.slice(0, count), count, bytes },
    sliceOf(slice.tracked, indexes.slice(count)),
  ]
}

/** Takes from the front of a lane's queue what one sink request may hold: at least one record, if there is any. */
export function load(queue: Slice[], limits: SinkLimits): Slice[] {
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

/** What one sink request carries: slices in order, and the way back from an index to its source batch. */
export class Cargo implements SinkBatch {
  readonly origin: string
  readonly partition: string
  readonly slices: readonly Slice[]
  readonly count: number
  readonly bytes: number
  #records: readonly BridgeRecord[] | undefined

  constructor(source: { readonly origin: string; readonly partition: string }, slices: readonly Slice[]) {
    this.origin = source.origin
    this.partition = source.partition
    this.slices = slices
    this.count = slices.reduce((sum, slice) => sum + slice.count, 0)
    this.bytes = slices.reduce((sum, slice) => sum + slice.bytes, 0)
  }

  get opaque(): OpaqueBytes | undefined {
    const [only] = this.slices
    return this.slices.length === 1 && only?.indexes === undefined ? only?.tracked.batch.opaque : undefined
  }

  records(): readonly BridgeRecord[] {
    this.#records ??= this.#collect()
    return this.#records
  }

  #collect(): readonly BridgeRecord[] {
    const [first] = this.slices
    if (first !== undefined && this.slices.length === 1 && first.indexes === undefined)
      return first.tracked.batch.records()
    const all: BridgeRecord[] = []
    for (const { tracked, indexes } of this.slices) {
      const records = tracked.batch.records()
      if (indexes === undefined) for (const record of records) all.push(record)
      else for (const index of indexes) all.push(records[index] as BridgeRecord)
    }
    return all
  }

  /** The records at the given ascending indexes, as a cargo of their own. */
  only(wanted: readonly number[]): Cargo {
    return new Cargo(
      this,
      this.locate(wanted).map(({ tracked, indexes }) => sliceOf(tracked, indexes)),
    )
  }

  /** Ascending indexes of this cargo → indexes of each source batch. */
  locate(wanted: readonly number[]): readonly { readonly tracked: Tracked; readonly indexes: readonly number[] }[] {
    const located: { tracked: Tracked; indexes: number[] }[] = []
    let at = 0
    let base = 0
    for (const { tracked, indexes, count } of this.slices) {
      const mine: number[] = []
      for (let index = wanted[at]; index !== undefined && index < base + count; index = wanted[at]) {
        mine.push(indexes === undefined ? index - base : (indexes[index - base] as number))
        at += 1
      }
      if (mine.length > 0) located.push({ tracked, indexes: mine })
      base += count
    }
    return located
  }
}
