/** How large a batch a topic takes. */
import { describeConfigsV4 } from '@platformatic/kafka'
import type { Cluster } from './cluster.ts'

const topicResource = 2
const setting = 'max.message.bytes'

/** What brokers take by default, where one does not say (its ACLs may forbid to ask). */
export const defaultLimit = 1_048_588

/** Bytes of the largest batch, as the broker says. Never rejects: asking is allowed by an ACL of its own. */
export async function largestBatch(cluster: Cluster, topic: string): Promise<number> {
  const leader = cluster.topic(topic)?.partitions.find((place) => place.leader >= 0)?.leader ?? -1
  try {
    const to = { broker: cluster.broker(leader), lane: 'control' } as const
    const resources = [
      { resourceType: topicResource, resourceName: topic, configurationKeys: [setting] },
    ] satisfies describeConfigsV4.DescribeConfigsRequestResource[]
    const { results } = await cluster.send(to, describeConfigsV4.api, resources, false, false)
    const told = Number(results[0]?.configs.find(({ name }) => name === setting)?.value)
    return Number.isSafeInteger(told) && told > 0 ? told : defaultLimit
  } catch {
    return defaultLimit
  }
}
