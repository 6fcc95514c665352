/** Where to start a partition: at the group's position, or where the spec says, once. */
import { listOffsetsV5 } from '@platformatic/kafka'
import { BridgeError } from '../../core/errors.ts'
import type { TopicPartition } from './assignor.ts'
import type { Cluster, TopicPlace } from './cluster.ts'
import { answerError, codeName, translate } from './errors.ts'
import type { Committed } from './membership.ts'
import type { KafkaSourceConfig } from './schema.ts'

/** Kafka's names for the two ends of a partition, where a time is expected. */
export const earliest = -2n
export const latest = -1n

/**
 * What is written beside a committed position: which topic it was (a topic made again under its name has other records
 * at that position), and how many partitions it had (a partition beyond them is new, and read from its beginning).
 */
export const metadataOf = (topicId: string, partitions: number): string => `streambridge/1 ${topicId} ${partitions}`

function readMetadata(metadata: string): { id: string; partitions: number } | undefined {
  const match = /^streambridge\/1 (\S+) ([0-9]+)$/.exec(metadata)
  return match === null ? undefined : { id: match[1] ?? '', partitions: Number(match[2]) }
}

/** committed: go on there. recreated: the position is of an earlier topic of this name. Otherwise: a time to look up. */
export type Start =
  | { readonly kind: 'committed'; readonly offset: number }
  | { readonly kind: 'recreated'; readonly offset: number }
  | { readonly kind: 'at'; readonly time: bigint }

/** `committed`: what the group has, by `topic/partition`. */
export function startOf(
  partition: number,
  topic: TopicPlace,
  committed: ReadonlyMap<string, Committed>,
  position: KafkaSourceConfig['startPosition'],
): Start {
  const own = committed.get(`${topic.name}/${partition}`)
  if (own !== undefined) {
    const written = readMetadata(own.metadata)
    const same = written === undefined || written.id === topic.id
    return { kind: same ? 'committed' : 'recreated', offset: own.offset }
  }
  const added = topic.partitions.some((_, other) => {
    const written = readMetadata(committed.get(`${topic.name}/${other}`)?.metadata ?? '')
    return written !== undefined && written.id === topic.id && written.partitions <= partition
  })
  return { kind: 'at', time: added ? earliest : timeOf(position) }
}

function timeOf({ type, timestamp }: KafkaSourceConfig['startPosition']): bigint {
  if (type === 'Timestamp') return BigInt(Date.parse(timestamp ?? ''))
  return type === 'Latest' ? latest : earliest
}

/**
 * Offsets at given times (or ends), by `topic/partition`; absent where no record is that new. Only committed ones with
 * `isolation` 1. Rejects with a BridgeError.
 */
export async function offsetsAt(
  cluster: Cluster,
  wanted: readonly (TopicPartition & { readonly time: bigint })[],
  isolation: 0 | 1,
): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  const leaderOf = ({ topic, partition }: TopicPartition): number => cluster.place(topic, partition)?.leader ?? -1
  const what = 'looking up offsets'
  const ask = async (leader: number, ones: readonly (TopicPartition & { readonly time: bigint })[]): Promise<void> => {
    const to = { broker: cluster.broker(leader), lane: 'control' } as const
    const answer = await cluster.send(to, listOffsetsV5.api, -1, isolation, lookUps(ones))
    const partitions = answer.topics.flatMap(({ name, partitions }) => partitions.map((one) => ({ name, ...one })))
    for (const { name, partitionIndex, errorCode, offset } of partitions) {
      if (errorCode !== 0) throw answerError(codeName(errorCode), what)
      if (offset >= 0n) found.set(`${name}/${partitionIndex}`, Number(offset))
    }
  }
  try {
    await Promise.all([...Map.groupBy(wanted, leaderOf)].map(([leader, ones]) => ask(leader, ones)))
    return found
  } catch (thrown) {
    throw translate(thrown, what)
  }
}

const lookUps = (wanted: readonly (TopicPartition & { readonly time: bigint })[]) =>
  [...Map.groupBy(wanted, ({ topic }) => topic)].map(([name, ones]) => ({
    name,
    partitions: ones.map(({ partition, time }) => ({
      partitionIndex: partition,
      currentLeaderEpoch: -1,
      timestamp: time,
    })),
  }))

/** What the person is told when records are gone. */
export const dataGap = (one: TopicPartition, detail: string): BridgeError =>
  new BridgeError(
    `topic "${one.topic}" partition ${one.partition}: ${detail}: set spec.delivery.onDataGap to Continue to go on from the earliest record, or reset the consumer group's offsets`,
    { kind: 'fatal', reason: 'DataGap' },
  )
