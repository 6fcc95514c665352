/** What a stored position is worth, given what the bridge remembers of its source. Pure. */
import { type FoundStream, type HistoryContent, positionTag } from '../../history/content.ts'
import type { Checkpoint, Lease } from '../../lease-stores/lease-store.ts'

export interface PositionState {
  /** What counts of the lease's checkpoint. */
  readonly checkpoint: Checkpoint
  /** Why a position that was there is not: nobody can say what is missing. */
  readonly gap?: string
}

const nothing: Checkpoint = { position: undefined, ended: false }

/** What is written beside every position of the generation. */
export function tagOf({ generation, streams }: HistoryContent, { name, birth }: FoundStream): string {
  const known = streams[name]
  return positionTag(generation, known === undefined ? { name, birth } : { name, birth: known.birth })
}

/** True for a lease of this generation; false for what an earlier one left behind, and for one that was just made. */
export function isKnown(lease: Lease, content: HistoryContent, stream: FoundStream): boolean {
  const { checkpoint, partition, unreadable } = lease
  if (unreadable !== undefined || begunOf(content, stream).includes(partition)) return true
  return positionStateOf(lease, content, stream).checkpoint === checkpoint
}

/** Partitions of the stream that had a position once and were not finished. */
export const begunOf = ({ streams }: HistoryContent, { name }: FoundStream): readonly string[] =>
  streams[name]?.begun ?? []

/**
 * Positions of another generation or stream count for nothing. Those without a tag are an older version's: they count where that
 * version may have written them, which is before the first reset. A partition that was begun and has no position of its own lost it.
 */
export function positionStateOf(lease: Lease, content: HistoryContent, stream: FoundStream): PositionState {
  const { checkpoint, partition, unreadable } = lease
  const begun = begunOf(content, stream).includes(partition)
  if (unreadable !== undefined) return { checkpoint: nothing, gap: `its lease cannot be read: ${unreadable}` }
  if (checkpoint.stream === tagOf(content, stream)) return { checkpoint }
  const older = checkpoint.stream === undefined && (checkpoint.position !== undefined || checkpoint.ended)
  if (older && (begun || content.generation === 1)) return { checkpoint }
  return begun ? { checkpoint: nothing, gap: 'it was read before, and its position is gone' } : { checkpoint: nothing }
}

/** Why the stream is not the one that is remembered; undefined when it is, as far as the service can tell. */
export function foreignTo({ streams }: HistoryContent, { name, birth }: FoundStream): string | undefined {
  const known = streams[name]
  if (known === undefined) {
    const others = Object.keys(streams)
    return others.length === 0 ? undefined : `the positions are of ${others.join(', ')}, and the source is ${name} now`
  }
  if (known.birth === undefined || birth === undefined || known.birth === birth) return undefined
  return `${name} is another one now (${birth}), and the positions are of the one before (${known.birth}): it was made again, or is one of elsewhere`
}
