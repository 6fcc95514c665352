/**
 * What is written beside a committed position: which topic it is of (a topic made again under its name has other records
 * at that position), how many partitions that had, and in which generation of the bridge's history it was written.
 */
export interface PositionTag {
  readonly topicId: string
  readonly partitions: number
  readonly generation: number
}

export const metadataOf = ({ topicId, partitions, generation }: PositionTag): string =>
  `streambridge/2 ${topicId} ${partitions} ${generation}`

/** Undefined where the position was set by another program: by a person's hand. */
export function readMetadata(metadata: string): PositionTag | undefined {
  const match = /^streambridge\/(?:1 (\S+) ([0-9]+)|2 (\S+) ([0-9]+) ([0-9]+))$/.exec(metadata)
  if (match === null) return undefined
  const [, firstId, firstCount, id = firstId ?? '', count = firstCount ?? '', generation = '1'] = match
  return { topicId: id, partitions: Number(count), generation: Number(generation) }
}
