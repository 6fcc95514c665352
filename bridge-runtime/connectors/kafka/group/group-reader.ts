/**
 * Takes part in a consumer group for as long as it runs: joins, hands out readers, and drains those that move to another
 * member before it lets them go. Cooperative: partitions that stay are read on through a rebalance.
 */
import { bytes } from '../../../../crds/kit/units.ts'
import type { PartitionReader, SourceHost } from '../../../core/contracts.ts'
import { asBridgeError, type BridgeError } from '../../../core/errors.ts'
import { keepingGaps } from '../../../history/keeping-gaps.ts'
import type { ConnectorContext } from '../../define-connector.ts'
import { nameOf, type TopicPartition } from '../protocol/topic-partition.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { Commits } from './commits.ts'
import { protocolError } from '../errors.ts'
import { Fetcher } from '../read/fetcher.ts'
import { Heart } from './heart.ts'
import { Membership, MembershipLost } from './membership.ts'
import { earliest, latest, offsetsAt } from '../cluster/offsets.ts'
import { commitOf, open, type Opened } from './opening.ts'
import { KafkaReader, type ReaderHost } from '../read/reader.ts'
import { Remembered } from './remembered.ts'
import type { KafkaSourceConfig } from '../schema.ts'
import { startWord } from './start.ts'
import { TopicWatch } from './topic-watch.ts'
import { topicFinder } from '../cluster/topics.ts'
import { UnreadableGap } from '../read/damaged/unreadable-gap.ts'
import { aborted, bothDone } from './waiting.ts'

export interface GroupReaderOptions {
  readonly config: KafkaSourceConfig
  readonly context: Pick<ConnectorContext, 'clock' | 'field' | 'history' | 'log' | 'onDataGap' | 'throttled'>
  readonly group: string
  /** Milliseconds. */
  readonly sessionTimeout: number
  readonly rebalanceTimeout: number
  readonly maxWait: number
  readonly maxBytesPerPartition: number
}

/** See `UnreadableGap`. */
const lasting = (gap: BridgeError): boolean => !(gap instanceof UnreadableGap)

/** Bytes held beside what the engine has in flight, over all partitions. */
const maxPrefetched = 16 * 1024 * 1024
const retryDelay = 500

export class GroupReader implements ReaderHost {
  readonly #cluster: Cluster
  readonly #host: SourceHost
  readonly #options: GroupReaderOptions
  readonly #topics: TopicWatch
  readonly #membership: Membership
  readonly #heart: Heart
  readonly #commits: Commits
  readonly #fetcher: Fetcher
  readonly #remembered: Remembered
  readonly #isolation: 0 | 1
  readonly #readers = new Map<string, KafkaReader>()
  /** What the engine has in the place of a reader. */
  readonly #handed = new WeakMap<KafkaReader, PartitionReader>()
  #epoch = 0

  constructor(cluster: Cluster, host: SourceHost, options: GroupReaderOptions) {
    const { group, sessionTimeout, rebalanceTimeout, maxWait, maxBytesPerPartition, config, context } = options
    this.#cluster = cluster
    this.#host = host
    this.#options = options
    this.#isolation = config.isolationLevel === 'ReadCommitted' ? 1 : 0
    const finder = topicFinder(config, cluster)
    this.#topics = new TopicWatch({
      cluster,
      find: finder.find,
      clock: context.clock,
      log: context.log,
      partitions: (total) => host.partitions(total),
    })
    this.#membership = new Membership({ cluster, group, sessionTimeout, rebalanceTimeout })
    this.#heart = new Heart({
      membership: this.#membership,
      clock: context.clock,
      sessionTimeout,
      connection: (error) => host.connection(error),
    })
    this.#commits = new Commits(this.#membership, context.clock)
    this.#remembered = new Remembered({
      history: context.history,
      start: startWord(config.startPosition),
      finder,
      committed: (topics) => this.#membership.committed(topics),
      clock: context.clock,
      log: context.log,
    })
    this.#fetcher = new Fetcher({
      cluster,
      maxWait,
      maxBytesPerPartition,
      isolation: this.#isolation,
      connection: (error) => host.connection(error),
      throttled: context.throttled,
    })
  }

  /** Until the signal aborts; then every partition is drained and the group left. Rejects with a fatal BridgeError. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#remembered.begin()
      await this.#topics.refresh()
      while (!signal.aborted) await this.#round(signal)
      await this.#whileAlive(this.#drain([...this.#readers.values()])).catch(() => undefined)
    } catch (thrown) {
      const error = asBridgeError(thrown)
      this.#host.connection(error)
      throw error
    } finally {
      await this.#lose()
      await this.#membership.leave()
    }
  }

  /** One generation of the group: joins, takes and gives partitions, stays until something changes. */
  async #round(signal: AbortSignal): Promise<void> {
    const { context } = this.#options
    try {
      const assigned = await this.#join(signal)
      if (assigned === undefined) return
      const names = new Set(assigned.map(nameOf))
      const added = assigned.filter((at) => !this.#readers.has(nameOf(at)))
      const revoked = [...this.#readers.values()].filter(({ partition }) => !names.has(partition))
      context.log.info('consumer group joined', {
        generation: this.#membership.generation,
        partitions: assigned.length,
        added: added.length,
        revoked: revoked.length,
      })
      await this.#whileAlive(bothDone(this.#open(added), this.#drain(revoked)))
      // What was let go can be given to another member only when this one joins without it.
      if (revoked.length === 0) await this.#stay(signal)
    } catch (thrown) {
      if (protocolError(thrown) === 'REBALANCE_IN_PROGRESS') return
      if (thrown instanceof MembershipLost || this.#heart.silent) await this.#lose()
      if (thrown instanceof MembershipLost) return
      const error = asBridgeError(thrown)
      if (error.kind === 'fatal') throw error
      this.#host.connection(error)
      await context.clock.sleep(retryDelay, signal)
    }
  }

  /** Undefined when the signal aborts first. */
  async #join(signal: AbortSignal): Promise<readonly TopicPartition[] | undefined> {
    const owned = [...this.#readers.values()].map(({ at }) => at)
    const joining = this.#membership.join([...this.#topics.counts.keys()], owned, this.#topics.counts)
    const assigned = await Promise.race([joining, aborted(signal)])
    if (assigned === undefined) {
      joining.catch(() => undefined)
      return undefined
    }
    this.#heart.contact()
    // The leader may know more partitions than this member does yet.
    if (assigned.some(({ topic, partition }) => partition >= (this.#topics.counts.get(topic) ?? 0)))
      await this.#topics.refresh()
    return assigned
  }

  async #open(added: readonly TopicPartition[]): Promise<void> {
    const { onDataGap, log } = this.#options.context
    const opened = await open(added, {
      cluster: this.#cluster,
      membership: this.#membership,
      remembered: this.#remembered,
      found: this.#topics.found,
      commit: (commit) => this.#commits.commit(commit, () => true),
      isolation: this.#isolation,
      onDataGap,
      log,
    })
    for (const one of opened) this.#handOut(one)
    // Not before: who is told that it works may send at once, and `Latest` is where the partitions ended just now.
    this.#host.connection(undefined)
  }

  #handOut({ remembered, ...one }: Opened): void {
    const { config, context } = this.#options
    const { history, clock, log, field, onDataGap } = context
    const reader = new KafkaReader(this, {
      ...one,
      epoch: ++this.#epoch,
      onDataGap,
      readCommitted: this.#isolation === 1,
      field,
      maxMemory: bytes(config.fetch.maxDecodedBytes),
    })
    // A gap found at the opening is found again at the next one, unless its cause is mended: it needs no keeping.
    const handed = one.gap ? reader : keepingGaps(reader, { history, gap: remembered, lasting, clock, log })
    this.#readers.set(reader.partition, reader)
    this.#handed.set(reader, handed)
    this.#host.assigned(handed)
  }

  #revoked(reader: KafkaReader, how: 'drain' | 'lost'): Promise<void> {
    return this.#host.revoked(this.#handed.get(reader) ?? reader, how)
  }

  async #drain(revoked: readonly KafkaReader[]): Promise<void> {
    await Promise.all(
      revoked.map(async (reader) => {
        await this.#revoked(reader, 'drain')
        reader.close()
        this.#readers.delete(reader.partition)
      }),
    )
  }

  /** Everything belongs to others already, or will by the time we could ask. */
  async #lose(): Promise<void> {
    this.#membership.forgetGeneration()
    const lost = [...this.#readers.values()]
    this.#readers.clear()
    for (const reader of lost) reader.close()
    if (lost.length > 0) this.#options.context.log.warn('partitions lost', { partitions: lost.length })
    await Promise.all(lost.map((reader) => this.#revoked(reader, 'lost')))
  }

  /** Heartbeats, until the group or the topics change. */
  async #stay(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options.context
    for (;;) {
      await clock.sleep(this.#heart.interval, signal)
      if (signal.aborted) return
      const pulse = await this.#heart.pulse()
      this.#host.waiting([...this.#readers.values()].find(({ heldBack }) => heldBack !== undefined)?.heldBack)
      if (pulse === 'rebalance' || (await this.#topics.changed())) return
      void this.#remembered.catchUp(this.#topics.found)
      await this.#topics.refreshEnds([...this.#readers.values()])
    }
  }

  #whileAlive(work: Promise<void>): Promise<void> {
    return this.#heart.during(work, () => {
      // The commits of a drain that goes on are refused from now on.
      for (const reader of this.#readers.values()) reader.close()
    })
  }

  want(reader: KafkaReader): void {
    this.#fetcher.want(reader)
  }

  commit(reader: KafkaReader, offset: number): Promise<void> {
    const { at, topicId, generation } = reader
    const commit = commitOf({ at, topicId, generation, offset }, this.#cluster)
    return this.#commits.commit(commit, () => !reader.closed)
  }

  async goOn(reader: KafkaReader, topicId: string, offset: number): Promise<void> {
    const { at, generation } = reader
    const topic = this.#cluster.topic(at.topic)
    if (topic === undefined) return
    const commit = commitOf({ at, topicId, generation, offset }, this.#cluster)
    await this.#commits.commit(commit, () => !reader.closed)
    await this.#remembered.begun([{ at, topic, renews: true, decided: true }])
  }

  topicId({ at }: KafkaReader): string | undefined {
    return this.#cluster.topic(at.topic)?.id
  }

  async earliest({ at, partition }: KafkaReader): Promise<number> {
    const found = await offsetsAt(this.#cluster, [{ ...at, time: earliest }], this.#isolation)
    return found.get(partition) ?? 0
  }

  async latest({ at, partition, position }: KafkaReader): Promise<number> {
    const found = await offsetsAt(this.#cluster, [{ ...at, time: latest }], this.#isolation)
    return found.get(partition) ?? position
  }

  passed({ partition }: KafkaReader, gap: string): void {
    this.#options.context.log.warn('records are lost', { partition, gap })
  }

  findLeaders(): Promise<void> {
    return this.#topics.findLeaders()
  }

  mayPrefetch(): boolean {
    let held = 0
    for (const reader of this.#readers.values()) held += reader.buffered
    return held < maxPrefetched
  }

  now(): number {
    return this.#options.context.clock.now()
  }
}
