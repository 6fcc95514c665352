/** Where to start a partition: at the group's position, where its history says, or nowhere until a person decides. Pure. */
import { gapAdvice } from '../../../history/advice.ts'
import { type FoundStream, fromEarliest, type HistoryContent, type KnownStream } from '../../../history/content.ts'
import { BridgeError } from '../../../core/errors.ts'
import type { TopicPlace } from '../cluster/cluster.ts'
import type { Committed } from './membership.ts'
import { earliest, latest } from '../cluster/offsets.ts'
import { readMetadata } from './position-tag.ts'
import type { KafkaSourceConfig } from '../schema.ts'
import { countsOf } from '../cluster/topics.ts'

/**
 * - committed: go on there. `byHand`: another program set the position, which is a person's decision.
 * - at: a time to look up. `renews`: all that is remembered of the topic is of an earlier one of its name.
 * - gap: nothing is read until a person decides. `renews` as above, once that is to go on.
 */
export type Start =
  | { readonly kind: 'committed'; readonly offset: number; readonly generation: number; readonly byHand: boolean }
  | { readonly kind: 'at'; readonly time: bigint; readonly renews: boolean }
  | { readonly kind: 'gap'; readonly detail: string; readonly renews: boolean }

/** `committed`: what the group has for this partition. */
export function startOf(
  partition: number,
  topic: TopicPlace,
  committed: Committed | undefined,
  content: HistoryContent,
): Start {
  const own = committed && fitting(committed, topic, content.generation)
  if (own !== undefined) return own
  const known = content.streams[streamName(topic.name)]
  return gapAt(partition, topic, committed, content) ?? beginningAt(partition, topic, known, content.start)
}

function gapAt(
  partition: number,
  topic: TopicPlace,
  committed: Committed | undefined,
  { generation, streams }: HistoryContent,
): Start | undefined {
  const known = streams[streamName(topic.name)]
  const begun = known?.begun.includes(String(partition)) === true
  const tag = committed && readMetadata(committed.metadata)
  // Of an earlier topic of this name. It counts for nothing where a person has decided to go on with the one that there is.
  if (tag !== undefined && tag.generation >= generation && (begun || !isOf(known, topic)))
    return madeAgain(topic, tag.topicId, committed)
  if (known !== undefined && !isOf(known, topic) && known.begun.length > 0)
    return madeAgain(topic, known.birth ?? '', undefined)
  return begun ? { kind: 'gap', renews: false, detail: lost } : undefined
}

function beginningAt(
  partition: number,
  topic: TopicPlace,
  known: KnownStream | undefined,
  start: string | undefined,
): Start {
  const sinceBeginning = isOf(known, topic) && partition < (known?.found ?? 0)
  const renews = known !== undefined && !isOf(known, topic)
  return { kind: 'at', time: sinceBeginning ? timeOf(start) : earliest, renews }
}

const lost =
  'the bridge has read it before, and the consumer group has no position of it any more: it expired (offsets.retention.minutes), was deleted, or was in another group (spec.source.kafka.consumerGroup)'

function madeAgain({ id }: TopicPlace, topicId: string, committed: Committed | undefined): Start {
  const position = committed === undefined ? 'what the bridge has read' : `position ${committed.offset}`
  const detail = `${position} is of another topic of this name (id ${topicId}, now ${id}): it was deleted and made again, or spec.source.kafka.bootstrapServers name another cluster`
  return { kind: 'gap', renews: true, detail }
}

/** The group's position where it is one of this topic, and of this generation or a later one. */
function fitting({ offset, metadata }: Committed, topic: TopicPlace, atLeast: number): Start | undefined {
  const tag = readMetadata(metadata)
  if (tag === undefined) return { kind: 'committed', offset, generation: atLeast, byHand: true }
  if (tag.topicId !== topic.id || tag.generation < atLeast) return undefined
  return { kind: 'committed', offset, generation: tag.generation, byHand: false }
}

/** What can be gone on with while nobody can say what the bridge remembers: a position of our own, of this very topic. */
export function fittingUnremembered(topic: TopicPlace, committed: Committed | undefined): Start | undefined {
  const own = committed && fitting(committed, topic, 0)
  return own?.kind === 'committed' && !own.byHand ? own : undefined
}

/** Where the connector's word for a generation's start stands for the times of Kafka. */
function timeOf(start: string | undefined): bigint {
  if (start === startLatest) return latest
  return start === undefined || start === fromEarliest ? earliest : BigInt(Date.parse(start))
}

const startLatest = 'Latest'

/** A generation's start, as the history keeps it. */
export const startWord = ({ type, timestamp }: KafkaSourceConfig['startPosition']): string =>
  type === 'Timestamp' ? (timestamp ?? '') : type === 'Latest' ? startLatest : fromEarliest

const prefix = 'topic '

/** A topic's name as the history knows it, and back. */
export const streamName = (topic: string): string => `${prefix}${topic}`
export const topicOf = (stream: string): string => stream.slice(prefix.length)

/** Clusters before 2.8, and some that speak the protocol, have no ids. */
const noId = '00000000-0000-0000-0000-000000000000'

export const streamOf = ({ name, id, partitions }: TopicPlace): FoundStream => ({
  name: streamName(name),
  birth: id === noId ? undefined : id,
  found: partitions.length,
})

/** Whether what is known is of this very topic, as far as anybody can tell. */
function isOf(known: KnownStream | undefined, topic: TopicPlace): boolean {
  const { birth } = streamOf(topic)
  return known !== undefined && (known.birth === undefined || birth === undefined || known.birth === birth)
}

/** What an older version of StreamBridge, or the bridge before it was deleted, has left in the group. */
export interface Legacy {
  readonly generation: number
  readonly streams: Readonly<Record<string, KnownStream>>
}

/**
 * A history for positions that have none: undefined where there are no such positions, or only ones of before a reset.
 * A topic without any was made later: what is not in the history is read from its first record.
 */
export function legacyOf(
  topics: readonly TopicPlace[],
  committed: ReadonlyMap<string, Committed>,
  generation: number,
): Legacy | undefined {
  const tagged = [...countsOf(topics)].map(([name, count]) => ({ name, tags: tagsOf(name, count, committed) }))
  const newest = Math.max(0, ...tagged.flatMap(({ tags }) => tags.map((tag) => tag.generation)))
  const streams: Record<string, KnownStream> = {}
  for (const { name, tags } of tagged) {
    const [first] = tags
    if (first === undefined) continue
    streams[streamName(name)] = {
      ...(first.topicId === noId ? {} : { birth: first.topicId }),
      found: Math.max(...tags.map(({ partitions }) => partitions)),
      begun: tags.filter((tag) => tag.generation === newest).map(({ partition }) => String(partition)),
    }
  }
  return newest < generation ? undefined : { generation: newest, streams }
}

function tagsOf(topic: string, count: number, committed: ReadonlyMap<string, Committed>) {
  return Array.from({ length: count }, (_, partition) => {
    const tag = readMetadata(committed.get(`${topic}/${partition}`)?.metadata ?? '')
    return tag === undefined ? [] : [{ ...tag, partition }]
  }).flat()
}

/** Whether the source was edited to other streams: none of those that are remembered is read any more. */
export function isEdited({ streams }: HistoryContent, selects: (topic: string) => boolean): boolean {
  const names = Object.keys(streams)
  return names.length > 0 && !names.some((name) => selects(topicOf(name)))
}

/** What the person is told when the source names other streams than those that were read. */
export const editedSource = ({ streams }: HistoryContent): BridgeError => {
  const names = Object.keys(streams).map((name) => `"${topicOf(name)}"`)
  const some = names.length > 5 ? [...names.slice(0, 5), `${names.length - 5} more`] : names
  return new BridgeError(
    `the bridge has read ${some.join(', ')} so far, and spec.source.kafka names none of them any more: ${gapAdvice()}, or name the old topics again`,
    { kind: 'fatal', reason: 'DataGap' },
  )
}
