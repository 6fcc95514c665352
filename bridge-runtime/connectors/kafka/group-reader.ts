/**
 * Takes part in a consumer group for as long as it runs: joins, hands out readers, and drains those that move to another
 * member before it lets them go. Cooperative: partitions that stay are read on through a rebalance.
 */
import { bytes } from '../../../crds/schema/common.ts'
import type { SourceHost } from '../../core/contracts.ts'
import { asBridgeError } from '../../core/errors.ts'
import type { ConnectorContext } from '../define-connector.ts'
import { nameOf, type TopicPartition } from './assignor.ts'
import type { Cluster } from './cluster.ts'
import { Commits } from './commits.ts'
import { protocolError } from './errors.ts'
import { Fetcher } from './fetcher.ts'
import { type Commit, Membership, MembershipLost } from './membership.ts'
import { openingPositions } from './opening.ts'
import { KafkaReader, type ReaderHost } from './reader.ts'
import type { KafkaSourceConfig } from './schema.ts'
import { earliest, metadataOf, offsetsAt } from './start.ts'
import { TopicWatch } from './topic-watch.ts'
import { topicFinder } from './topics.ts'
import { aborted, bothDone } from './waiting.ts'

export interface GroupReaderOptions {
  readonly config: KafkaSourceConfig
  readonly context: Pick<ConnectorContext, 'clock' | 'field' | 'log' | 'onDataGap'>
  readonly group: string
  /** Milliseconds. */
  readonly sessionTimeout: number
  readonly rebalanceTimeout: number
  readonly maxWait: number
  readonly maxBytesPerPartition: number
}

/** Bytes held beside what the engine has in flight, over all partitions. */
const maxPrefetched = 16 * 1024 * 1024
const retryDelay = 500
const leadersDelay = 100

export class GroupReader implements ReaderHost {
  readonly #cluster: Cluster
  readonly #host: SourceHost
  readonly #options: GroupReaderOptions
  readonly #topics: TopicWatch
  readonly #membership: Membership
  readonly #commits: Commits
  readonly #fetcher: Fetcher
  readonly #isolation: 0 | 1
  readonly #readers = new Map<string, KafkaReader>()
  #lastContact = 0
  #epoch = 0
  #leaders: Promise<void> | undefined

  constructor(cluster: Cluster, host: SourceHost, options: GroupReaderOptions) {
    const { group, sessionTimeout, rebalanceTimeout, maxWait, maxBytesPerPartition, config, context } = options
    this.#cluster = cluster
    this.#host = host
    this.#options = options
    this.#isolation = config.isolationLevel === 'ReadCommitted' ? 1 : 0
    this.#topics = new TopicWatch({
      cluster,
      find: topicFinder(config, cluster),
      clock: context.clock,
      log: context.log,
      partitions: (total) => host.partitions(total),
    })
    this.#membership = new Membership({ cluster, group, sessionTimeout, rebalanceTimeout })
    this.#commits = new Commits(this.#membership, context.clock)
    this.#fetcher = new Fetcher({
      cluster,
      maxWait,
      maxBytesPerPartition,
      isolation: this.#isolation,
      connection: (error) => host.connection(error),
    })
  }

  /** Until the signal aborts; then every partition is drained and the group left. Rejects with a fatal BridgeError. */
  async run(signal: AbortSignal): Promise<void> {
    try {
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
    const { context, sessionTimeout } = this.#options
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
      if (thrown instanceof MembershipLost || this.#silence() > sessionTimeout) await this.#lose()
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
    this.#contact()
    this.#host.connection(undefined)
    // The leader may know more partitions than this member does yet.
    if (assigned.some(({ topic, partition }) => partition >= (this.#topics.counts.get(topic) ?? 0)))
      await this.#topics.refresh()
    return assigned
  }

  async #open(added: readonly TopicPartition[]): Promise<void> {
    const { config, context } = this.#options
    const opened = await openingPositions(added, {
      cluster: this.#cluster,
      membership: this.#membership,
      startPosition: config.startPosition,
      isolation: this.#isolation,
      onDataGap: context.onDataGap,
    })
    const fresh = opened.filter((one) => one.fresh)
    await Promise.all(fresh.map((one) => this.#commits.commit(this.#commit(one, one.offset), () => true)))
    for (const { fresh: _, ...one } of opened) {
      const reader = new KafkaReader(this, {
        ...one,
        epoch: ++this.#epoch,
        onDataGap: context.onDataGap,
        readCommitted: this.#isolation === 1,
        field: context.field,
        maxMemory: bytes(config.fetch.maxDecodedBytes),
      })
      this.#readers.set(reader.partition, reader)
      this.#host.assigned(reader)
    }
  }

  async #drain(revoked: readonly KafkaReader[]): Promise<void> {
    await Promise.all(
      revoked.map(async (reader) => {
        await this.#host.revoked(reader, 'drain')
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
    await Promise.all(lost.map((reader) => this.#host.revoked(reader, 'lost')))
  }

  /** Heartbeats, until the group or the topics change. */
  async #stay(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options.context
    for (;;) {
      await clock.sleep(this.#interval(), signal)
      if (signal.aborted) return
      const pulse = await this.#pulse()
      this.#host.waiting([...this.#readers.values()].find(({ heldBack }) => heldBack !== undefined)?.heldBack)
      if (pulse === 'rebalance' || (await this.#topics.changed())) return
      await this.#topics.refreshEnds([...this.#readers.values()])
    }
  }

  /** Does something long without losing the membership. Rejects with MembershipLost after it is done, if it was lost. */
  async #whileAlive(work: Promise<void>): Promise<void> {
    const done = new AbortController()
    const beating = this.#beat(done.signal)
    beating.catch(() => undefined)
    try {
      await work
    } finally {
      done.abort()
      await beating
    }
  }

  async #beat(done: AbortSignal): Promise<void> {
    const { clock } = this.#options.context
    for (;;) {
      await clock.sleep(this.#interval(), done)
      if (done.aborted) return
      try {
        await this.#pulse()
      } catch (thrown) {
        // The commits of a drain that goes on are refused from now on.
        for (const reader of this.#readers.values()) reader.close()
        throw thrown
      }
    }
  }

  /** Rejects with MembershipLost when the group has given up on us, or must have by now. */
  async #pulse(): Promise<'ok' | 'rebalance'> {
    try {
      const pulse = await this.#membership.heartbeat()
      if (pulse === 'lost') throw new MembershipLost('thrown out')
      this.#contact()
      return pulse
    } catch (thrown) {
      if (thrown instanceof MembershipLost || this.#silence() > this.#options.sessionTimeout) throw new MembershipLost()
      this.#host.connection(asBridgeError(thrown))
      return 'ok'
    }
  }

  #interval(): number {
    return Math.min(1_000, this.#options.sessionTimeout / 6)
  }

  #contact(): void {
    this.#lastContact = this.#options.context.clock.monotonic()
  }

  /** Milliseconds since the group last heard of us. */
  #silence(): number {
    return this.#options.context.clock.monotonic() - this.#lastContact
  }

  want(reader: KafkaReader): void {
    this.#fetcher.want(reader)
  }

  commit(reader: KafkaReader, offset: number): Promise<void> {
    return this.#commits.commit(this.#commit(reader, offset), () => !reader.closed)
  }

  #commit({ at, topicId }: { readonly at: TopicPartition; readonly topicId: string }, offset: number): Commit {
    return { ...at, offset, metadata: metadataOf(topicId, this.#topics.counts.get(at.topic) ?? 0) }
  }

  topicId({ at }: KafkaReader): string | undefined {
    return this.#cluster.topic(at.topic)?.id
  }

  async earliest({ at, partition }: KafkaReader): Promise<number> {
    const found = await offsetsAt(this.#cluster, [{ ...at, time: earliest }], this.#isolation)
    return found.get(partition) ?? 0
  }

  findLeaders(): Promise<void> {
    this.#leaders ??= this.#askLeaders().finally(() => {
      this.#leaders = undefined
    })
    return this.#leaders
  }

  async #askLeaders(): Promise<void> {
    await this.#options.context.clock.sleep(leadersDelay)
    await this.#cluster.metadata([...this.#topics.counts.keys()]).catch(() => undefined)
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
