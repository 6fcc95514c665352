/** Keeps an eye on the topics: how many partitions there are, and where those end that nobody polls. */
import type { Clock } from '../../../core/clock.ts'
import { errorText, type Logger } from '../../../observability/logger.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { KafkaReader } from '../read/reader.ts'
import { latest, offsetsAt } from '../cluster/offsets.ts'
import { countsOf, type FoundTopics, present, signatureOf } from '../cluster/topics.ts'

export interface TopicWatchOptions {
  readonly cluster: Cluster
  readonly find: () => Promise<FoundTopics>
  readonly clock: Clock
  readonly log: Logger
  /** Told of the number of partitions of all topics. */
  readonly partitions: (total: number) => void
}

/** Milliseconds. New topics and partitions must be read within a minute: one look and two rounds of the group. */
const topicsAge = 20_000
const endsAge = 5_000
const leadersDelay = 100

export class TopicWatch {
  readonly #options: TopicWatchOptions
  #counts: ReadonlyMap<string, number> = new Map()
  #found: FoundTopics = { topics: [], missing: [] }
  #leaders: Promise<void> | undefined
  #topicsSeen = 0
  #endsSeen = 0

  constructor(options: TopicWatchOptions) {
    this.#options = options
  }

  /** Partitions by topic. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts
  }

  /** As last seen. */
  get found(): FoundTopics {
    return this.#found
  }

  /** Looks now. Rejects with a BridgeError. */
  async refresh(): Promise<void> {
    const { clock, find, partitions } = this.#options
    this.#topicsSeen = clock.monotonic()
    const found = await find()
    this.#counts = countsOf(present(found))
    this.#found = found
    partitions([...this.#counts.values()].reduce((sum, count) => sum + count, 0))
  }

  /** Looks if it is time to; true when there is something to share out anew. Never rejects. */
  async changed(): Promise<boolean> {
    const { clock, log } = this.#options
    if (clock.monotonic() - this.#topicsSeen < topicsAge) return false
    const before = signatureOf(this.#counts)
    try {
      await this.refresh()
    } catch (thrown) {
      // Whoever reads a topic that is gone hears of it from its fetches.
      log.debug('topics could not be looked up', { error: errorText(thrown) })
    }
    return signatureOf(this.#counts) !== before
  }

  /** A partition that is not polled, because there is no room, still grows: its lag must show it. Never rejects. */
  async refreshEnds(readers: readonly KafkaReader[]): Promise<void> {
    const { clock, cluster, log } = this.#options
    if (clock.monotonic() - this.#endsSeen < endsAge) return
    this.#endsSeen = clock.monotonic()
    try {
      const wanted = readers.map(({ at }) => ({ ...at, time: latest }))
      // All records, also those behind an open transaction.
      const ends = await offsetsAt(cluster, wanted, 0)
      for (const reader of readers) {
        const end = ends.get(reader.partition)
        if (end !== undefined) reader.endIs(end)
      }
    } catch (thrown) {
      log.debug('ends could not be looked up', { error: errorText(thrown) })
    }
  }

  /** Asks again who leads the partitions. Never rejects. */
  findLeaders(): Promise<void> {
    this.#leaders ??= this.#askLeaders().finally(() => {
      this.#leaders = undefined
    })
    return this.#leaders
  }

  async #askLeaders(): Promise<void> {
    const { clock, cluster } = this.#options
    await clock.sleep(leadersDelay)
    await cluster.metadata([...this.#counts.keys()]).catch(() => undefined)
  }
}
