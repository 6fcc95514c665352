/** What a bridge remembers of the streams it has read, and how that changes. Pure. */
import { z } from 'zod'

const knownStream = z.object({
  /**
   * What tells this stream from another one of its name, in the service's own words: a topic's id, a stream's time of creation.
   * Absent where the service says nothing of the kind.
   */
  birth: z.string().optional(),
  /** Partitions there were when the generation began to read it; those that were added later are read from their first record. */
  found: z.int().min(0).optional(),
  /** Partitions that were begun: each had a position from then on. */
  begun: z.array(z.string()),
})

export const historyContent = z.object({
  /** Grows when a person decides to begin anew: positions of an earlier generation count for nothing. */
  generation: z.int().min(1),
  /**
   * Where the partitions began that there were at the generation's beginning, in the connector's words; absent until it began.
   * `Earliest` is known to every connector.
   */
  start: z.string().optional(),
  /** By name. */
  streams: z.record(z.string(), knownStream),
  /** Records are gone, or a position is: by partition, what is missing. Each waits for a person's decision. */
  gaps: z.record(z.string(), z.string()),
  /** Tokens of `lifecycle.reset` that were carried out, the newest last. */
  resets: z.array(z.string()),
})

export type HistoryContent = z.output<typeof historyContent>
export type KnownStream = z.output<typeof knownStream>

/** `Earliest` as a generation's start: every connector knows it. */
export const fromEarliest = 'Earliest'

/** A bridge that has read nothing yet. */
export const blank: HistoryContent = { generation: 1, streams: {}, gaps: {}, resets: [] }

/** A stream as a source finds it. */
export interface FoundStream {
  readonly name: string
  readonly birth: string | undefined
  /** How many partitions it has now; undefined where that says nothing of later ones. */
  readonly found?: number
}

const stream = ({ birth, found }: FoundStream, begun: readonly string[]): KnownStream => ({
  ...(birth === undefined ? {} : { birth }),
  ...(found === undefined ? {} : { found }),
  begun: [...begun],
})

/** The generation begins with these streams, unless it has begun. */
export function beginning(start: string, streams: readonly FoundStream[]) {
  return (content: HistoryContent = blank): HistoryContent =>
    content.start === undefined
      ? { ...content, start, streams: Object.fromEntries(streams.map((one) => [one.name, stream(one, [])])) }
      : content
}

/** These partitions of a stream were begun; the stream may be new to the history. */
export function begun(found: FoundStream, partitions: readonly string[]) {
  return (content: HistoryContent = blank): HistoryContent => {
    const known = content.streams[found.name]
    const before = known?.begun ?? []
    const added = partitions.filter((partition) => !before.includes(partition))
    // A stream that was only awaited gets its birth now.
    const born = known?.birth === undefined && found.birth !== undefined
    if (known !== undefined && added.length === 0 && !born) return content
    const next =
      known === undefined ? stream(found, added) : { ...stream(found, []), ...known, begun: [...before, ...added] }
    return { ...content, streams: { ...content.streams, [found.name]: next } }
  }
}

/** A partition is finished and its position no longer needed: nobody will miss it. */
export function finished(name: string, partition: string) {
  return (content: HistoryContent = blank): HistoryContent => {
    const known = content.streams[name]
    if (known?.begun.includes(partition) !== true) return content
    const left = known.begun.filter((one) => one !== partition)
    return { ...content, streams: { ...content.streams, [name]: { ...known, begun: left } } }
  }
}

/** The first word on a partition stays: what follows from a gap is not another one. */
export function withGap(partition: string, message: string) {
  return (content: HistoryContent = blank): HistoryContent =>
    content.gaps[partition] === undefined ? { ...content, gaps: { ...content.gaps, [partition]: message } } : content
}

export function withoutGap(partition: string) {
  return (content: HistoryContent = blank): HistoryContent => {
    if (content.gaps[partition] === undefined) return content
    const { [partition]: _, ...gaps } = content.gaps
    return { ...content, gaps }
  }
}

/**
 * A person decided to go on with a stream that was made again under its name: all of it is new, and no gap of before counts.
 * The other streams keep their positions.
 */
export function renewed(found: FoundStream, isPartition: (partition: string) => boolean) {
  return (content: HistoryContent = blank): HistoryContent => {
    if (content.streams[found.name]?.birth === found.birth) return content
    const gaps = Object.entries(content.gaps).filter(([partition]) => !isPartition(partition))
    return {
      ...content,
      streams: { ...content.streams, [found.name]: stream({ ...found, found: 0 }, []) },
      gaps: Object.fromEntries(gaps),
    }
  }
}

/** The history begins with positions that are older than it: with the streams they say, in their generation. */
export function takingOver(start: string, generation: number, streams: Readonly<Record<string, KnownStream>>) {
  return (content: HistoryContent = blank): HistoryContent =>
    content.start === undefined ? { ...content, generation, start, streams: { ...streams } } : content
}

/** Nothing was read of the streams that are remembered: it begins as if new, with others. */
export const beginningAgain =
  (start: string, streams: readonly FoundStream[]) =>
  (content: HistoryContent = blank): HistoryContent => {
    const { start: _, ...unbegun } = content
    return beginning(start, streams)({ ...unbegun, streams: {} })
  }

/** A person decided to go on with other streams, from their earliest records: no position of before counts. */
export const goingOn =
  (streams: readonly FoundStream[]) =>
  (content: HistoryContent = blank): HistoryContent =>
    beginning(fromEarliest, streams)({ ...anew(content), resets: content.resets })

/** Tokens kept: a replica with an older spec than that would carry its reset out again. */
const keptResets = 20

/** A person decided to begin as if new; each token once. */
export function reset(token: string) {
  return (content: HistoryContent = blank): HistoryContent =>
    content.resets.includes(token)
      ? content
      : { ...anew(content), resets: [...content.resets, token].slice(-keptResets) }
}

const anew = ({ generation }: HistoryContent): HistoryContent => ({ ...blank, generation: generation + 1 })

/** What is written beside a position: of which stream it is, and of which generation. */
export const positionTag = (generation: number, { name, birth }: Pick<FoundStream, 'name' | 'birth'>): string =>
  [generation, name, birth ?? '-'].join(' ')
