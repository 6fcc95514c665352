import type { Ordering } from '../contracts.ts'
import { sliceOf, type Slice } from './write-batch.ts'

/** Lanes of a partition when order does not matter and the sink has no opinion. */
const unorderedLanes = 4

export function laneCount(ordering: Ordering, sinkLanes: number): number {
  switch (ordering) {
    case 'PerPartition':
      return 1
    case 'PerKey':
      return sinkLanes
    case 'None':
      return Math.max(sinkLanes, unorderedLanes)
  }
}

/** FNV-1a, 32 bits: spreads keys over lanes. Source: RFC 9923. */
export function keyHash(key: Buffer): number {
  let hash = 0x811c9dc5
  for (const byte of key) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

/**
 * Which part of a slice goes to which lane. A key always goes to the same lane, so a lane that writes serially keeps the
 * key's order. Records without a key have no order with `PerKey`; they go to a lane by slice.
 *
 * @param ordinal number of the slice within its partition
 */
export function distribute(
  slice: Slice,
  ordering: Ordering,
  lanes: number,
  ordinal: number,
): readonly (readonly [number, Slice])[] {
  if (lanes === 1) return [[0, slice]]
  const own = ordinal % lanes
  if (ordering !== 'PerKey') return [[own, slice]]
  const { batch, indexes } = slice
  const records = batch.records()
  const parts = new Map<number, number[]>()
  for (const index of indexes ?? records.keys()) {
    const key = records[index]?.key ?? null
    const lane = key === null ? own : keyHash(key) % lanes
    const part = parts.get(lane)
    if (part === undefined) parts.set(lane, [index])
    else part.push(index)
  }
  return [...parts].map(([lane, part]) => [lane, sliceOf(batch, part)])
}
