/** Newly assigned partitions → where each starts. */
import type { BridgeError } from '../../core/errors.ts'
import { nameOf, type TopicPartition } from './assignor.ts'
import type { Cluster, TopicPlace } from './cluster.ts'
import type { Membership } from './membership.ts'
import type { KafkaSourceConfig } from './schema.ts'
import { dataGap, earliest, latest, offsetsAt, type Start, startOf } from './start.ts'

export interface Opening {
  readonly cluster: Cluster
  readonly membership: Membership
  readonly startPosition: KafkaSourceConfig['startPosition']
  readonly isolation: 0 | 1
  readonly onDataGap: 'Stop' | 'Continue'
}

export interface Opened {
  readonly at: TopicPartition
  readonly topicId: string
  readonly offset: number
  /** True when the group had no position: it must be given one now, or a restart would start somewhere else. */
  readonly fresh: boolean
  /** The partition cannot be read until a person has looked. */
  readonly gap?: BridgeError
}

/** Rejects with a BridgeError when the group or the offsets cannot be asked. */
export async function openingPositions(added: readonly TopicPartition[], opening: Opening): Promise<readonly Opened[]> {
  const { cluster, membership, startPosition, isolation, onDataGap } = opening
  if (added.length === 0) return []
  const topics = new Map<string, TopicPlace>()
  for (const { topic } of added) {
    const place = cluster.topic(topic)
    if (place !== undefined) topics.set(topic, place)
  }
  const committed = await membership.committed(
    new Map([...topics].map(([name, { partitions }]) => [name, partitions.length])),
  )
  const starts = added.flatMap((at) => {
    const place = topics.get(at.topic)
    return place === undefined
      ? []
      : [{ at, topicId: place.id, start: startOf(at.partition, place, committed, startPosition) }]
  })
  const lookUp = (time: (start: Start) => bigint | undefined): Promise<Map<string, number>> => {
    const wanted = starts.flatMap(({ at, start }) => {
      const when = time(start)
      return when === undefined ? [] : [{ ...at, time: when }]
    })
    return offsetsAt(cluster, wanted, isolation)
  }
  const found = await lookUp((start) =>
    start.kind === 'committed' ? undefined : start.kind === 'at' ? start.time : earliest,
  )
  // No record is as new as the time: the next one will be.
  const ends = await lookUp((start) => (start.kind === 'at' && start.time >= 0n ? latest : undefined))
  return starts.map(({ at, topicId, start }) => {
    if (start.kind === 'committed') return { at, topicId, offset: start.offset, fresh: false }
    const offset = found.get(nameOf(at)) ?? ends.get(nameOf(at)) ?? 0
    if (start.kind === 'at' || onDataGap === 'Continue') return { at, topicId, offset, fresh: true }
    const detail = `it was deleted and made again, position ${start.offset} belongs to the old one`
    return { at, topicId, offset: start.offset, fresh: false, gap: dataGap(at, detail) }
  })
}
