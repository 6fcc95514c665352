/** Which topics a source reads. */
import { RE2JS } from 're2js'
import type { Cluster, TopicPlace } from './cluster.ts'
import { answerError } from '../errors.ts'
import type { KafkaSourceConfig } from '../schema.ts'

/** Topics of a source as they are now. */
export interface FoundTopics {
  readonly topics: readonly TopicPlace[]
  /** Names of the configuration that are not there yet. */
  readonly missing: readonly string[]
}

export interface TopicFinder {
  /** Rejects with a BridgeError, also when a topic of the list may not be seen: nobody knows whether it is there. */
  readonly find: () => Promise<FoundTopics>
  /** Whether a topic of this name is read when it is there. */
  readonly selects: (name: string) => boolean
}

const notThere = 'UNKNOWN_TOPIC_OR_PARTITION'

export function topicFinder({ topics = [], topicsPattern }: KafkaSourceConfig, cluster: Cluster): TopicFinder {
  if (topicsPattern === undefined)
    return { find: () => listed(topics, cluster), selects: (name) => topics.includes(name) }
  const pattern = RE2JS.compile(topicsPattern)
  const selects = (name: string): boolean => pattern.matches(name)
  return {
    find: async () => {
      const found = await cluster.metadata(null)
      return { topics: found.topics.filter(({ name, internal }) => !internal && selects(name)), missing: [] }
    },
    selects,
  }
}

async function listed(names: readonly string[], cluster: Cluster): Promise<FoundTopics> {
  const { topics, failures } = await cluster.metadata(names)
  for (const [name, failure] of failures) if (failure !== notThere) throw missing(name, failure)
  return { topics, missing: [...failures.keys()] }
}

/** All topics, or the error of one that is missing. */
export function present(found: FoundTopics): readonly TopicPlace[] {
  for (const name of found.missing) throw missing(name, notThere)
  return found.topics
}

const missing = (name: string, failure: string): Error => answerError(failure, `reading topic "${name}"`)

/** Partitions by topic. */
export const countsOf = (topics: readonly TopicPlace[]): Map<string, number> =>
  new Map(topics.map(({ name, partitions }) => [name, partitions.length]))

/** Changes whenever there is something to share out anew. */
export const signatureOf = (counts: ReadonlyMap<string, number>): string =>
  JSON.stringify([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
