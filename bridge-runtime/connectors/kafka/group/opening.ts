/** Newly assigned partitions → where each starts, with a position in the group for each that is to be read. */
import { BridgeError } from '../../../core/errors.ts'
import type { HistoryContent } from '../../../history/content.ts'
import type { Logger } from '../../../observability/logger.ts'
import { nameOf, type TopicPartition } from '../protocol/topic-partition.ts'
import type { Cluster, TopicPlace } from '../cluster/cluster.ts'
import type { Commit, Membership } from './membership.ts'
import { earliest, latest, offsetsAt } from '../cluster/offsets.ts'
import { metadataOf } from './position-tag.ts'
import { isAway, type Remembered } from './remembered.ts'
import { fittingUnremembered, type Start, startOf } from './start.ts'
import { dataGap } from '../read/data-gap.ts'
import type { FoundTopics } from '../cluster/topics.ts'

export interface Opening {
  readonly cluster: Cluster
  readonly membership: Membership
  readonly remembered: Remembered
  /** All topics of the source as last seen. */
  readonly found: FoundTopics
  /** Writes a position. Rejects with a BridgeError. */
  readonly commit: (commit: Commit) => Promise<void>
  readonly isolation: 0 | 1
  readonly onDataGap: 'Stop' | 'Continue'
  readonly log: Logger
}

export interface Opened {
  readonly at: TopicPartition
  readonly topicId: string
  readonly offset: number
  /** Of the history: written beside each position. */
  readonly generation: number
  /** What is remembered of this partition and not decided: it is not read past. */
  readonly remembered: string | undefined
  /** The partition cannot be read until a person has looked: found now, and again at each start until then. */
  readonly gap?: BridgeError
}

interface Decided {
  readonly at: TopicPartition
  readonly topic: TopicPlace
  readonly start: Start
  /** A gap of this partition that is remembered. */
  readonly before: string | undefined
}

/**
 * Rejects with a BridgeError when the group or the offsets cannot be asked, or when nobody can say whether the bridge has
 * read here before and a position is missing.
 */
export async function open(added: readonly TopicPartition[], opening: Opening): Promise<readonly Opened[]> {
  const { remembered, onDataGap } = opening
  if (added.length === 0) return []
  const content = await remembered.recall(opening.found).catch(storeIsAway)
  const decided = (await decide(added, opening, content)).map(onDataGap === 'Continue' ? goingOn(opening) : halting)
  const offsets = await lookUp(decided, opening)
  const opened = decided.map((one) => openedAt(one, offsets.get(nameOf(one.at)) ?? 0, content))
  // First the position, then the word that there is one, then records: whoever dies in between makes us ask less.
  const fresh = opened.filter((_, index) => isFresh(decided[index]?.start))
  await Promise.all(fresh.map((one) => opening.commit(commitOf(one, opening.cluster))))
  await mark(decided, opening, content)
  return opened
}

/** Undefined while the store is away. */
function storeIsAway(thrown: unknown): BridgeError {
  if (thrown instanceof BridgeError && isAway(thrown)) return thrown
  throw thrown
}

async function decide(
  added: readonly TopicPartition[],
  { cluster, membership }: Opening,
  content: HistoryContent | BridgeError,
): Promise<readonly Decided[]> {
  const places = added.flatMap((at) => {
    const topic = cluster.topic(at.topic)
    return topic === undefined ? [] : [{ at, topic }]
  })
  const counts = new Map(places.map(({ topic }) => [topic.name, topic.partitions.length]))
  const committed = await membership.committed(counts)
  return places.map(({ at, topic }) => {
    const own = committed.get(nameOf(at))
    if (!(content instanceof BridgeError)) {
      return { at, topic, start: startOf(at.partition, topic, own, content), before: content.gaps[nameOf(at)] }
    }
    const start = fittingUnremembered(topic, own)
    if (start === undefined) throw content
    return { at, topic, start, before: undefined }
  })
}

/** A person has decided to go on at the earliest record behind every gap. */
const goingOn =
  ({ log }: Opening) =>
  (one: Decided): Decided => {
    const { at, start, before } = one
    const undone = before !== undefined && start.kind === 'committed' && !start.byHand
    if (start.kind !== 'gap' && !undone) return one
    log.warn('goes on at the earliest record', {
      partition: nameOf(at),
      gap: start.kind === 'gap' ? start.detail : before,
    })
    return { ...one, start: { kind: 'at', time: earliest, renews: start.kind === 'gap' && start.renews } }
  }

/** A gap that is remembered is no beginning. */
function halting(one: Decided): Decided {
  const { start, before } = one
  if (start.kind !== 'at' || before === undefined) return one
  return { ...one, start: { kind: 'gap', detail: 'its position is gone', renews: false } }
}

const isFresh = (start: Start | undefined): boolean =>
  start?.kind === 'at' || (start?.kind === 'committed' && start.byHand)

async function lookUp(decided: readonly Decided[], { cluster, isolation }: Opening): Promise<Map<string, number>> {
  const wanted = decided.flatMap(({ at, start }) => (start.kind === 'at' ? [{ ...at, time: start.time }] : []))
  const found = await offsetsAt(cluster, wanted, isolation)
  // No record is as new as the time: the next one will be.
  const behind = wanted.filter((one) => one.time >= 0n && !found.has(nameOf(one)))
  const ends = await offsetsAt(
    cluster,
    behind.map((one) => ({ ...one, time: latest })),
    isolation,
  )
  return new Map([...found, ...ends])
}

function openedAt(
  { at, topic, start, before }: Decided,
  offset: number,
  content: HistoryContent | BridgeError,
): Opened {
  const generation = content instanceof BridgeError ? 1 : content.generation
  const common = { at, topicId: topic.id, generation, remembered: undefined }
  if (start.kind === 'gap') return { ...common, offset: 0, gap: dataGap(at, start.detail) }
  if (start.kind === 'at') return { ...common, offset }
  const { offset: position, generation: own, byHand } = start
  return { ...common, offset: position, generation: own, remembered: byHand ? undefined : before }
}

export const commitOf = (
  { at, topicId, offset, generation }: Pick<Opened, 'at' | 'topicId' | 'offset' | 'generation'>,
  cluster: Cluster,
): Commit => {
  const partitions = cluster.topic(at.topic)?.partitions.length ?? 0
  return { ...at, offset, metadata: metadataOf({ topicId, partitions, generation }) }
}

async function mark(
  decided: readonly Decided[],
  { remembered }: Opening,
  content: HistoryContent | BridgeError,
): Promise<void> {
  const begun = decided.flatMap(({ at, topic, start }) => {
    if (start.kind === 'gap') return []
    return [{ at, topic, renews: start.kind === 'at' && start.renews, decided: isFresh(start) }]
  })
  if (content instanceof BridgeError) return remembered.begunMeanwhile(begun)
  const failure = await remembered.begun(begun).catch(storeIsAway)
  if (failure !== undefined) remembered.begunMeanwhile(begun)
}
