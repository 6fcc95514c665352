/** Which topics a source reads. */
import { RE2JS } from 're2js'
import type { Cluster, TopicPlace } from './cluster.ts'
import { answerError } from './errors.ts'
import type { KafkaSourceConfig } from './schema.ts'

/** Finds the topics as they are now. Rejects with a BridgeError when one of a list is missing. */
export function topicFinder(config: KafkaSourceConfig, cluster: Cluster): () => Promise<readonly TopicPlace[]> {
  const { topics, topicsPattern } = config
  if (topicsPattern === undefined) return () => listed(topics ?? [], cluster)
  const pattern = RE2JS.compile(topicsPattern)
  return async () => {
    const found = await cluster.metadata(null)
    return found.topics.filter(({ name, internal }) => !internal && pattern.matches(name))
  }
}

async function listed(names: readonly string[], cluster: Cluster): Promise<readonly TopicPlace[]> {
  const { topics, failures } = await cluster.metadata(names)
  for (const [name, failure] of failures) throw answerError(failure, `reading topic "${name}"`)
  return topics
}

/** Partitions by topic. */
export const countsOf = (topics: readonly TopicPlace[]): Map<string, number> =>
  new Map(topics.map(({ name, partitions }) => [name, partitions.length]))

/** Changes whenever there is something to share out anew. */
export const signatureOf = (counts: ReadonlyMap<string, number>): string =>
  JSON.stringify([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
