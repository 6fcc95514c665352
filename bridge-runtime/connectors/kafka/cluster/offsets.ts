/** Where a partition's ends are, and its records of a given time. */
import { listOffsetsV5 } from '@platformatic/kafka'
import type { TopicPartition } from '../protocol/topic-partition.ts'
import type { Cluster } from './cluster.ts'
import { answerError, codeName, translate } from '../errors.ts'

/** Kafka's names for the two ends of a partition, where a time is expected. */
export const earliest = -2n
export const latest = -1n

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
