/** Shares the partitions of a source over the replicas of a bridge, for services that do not do it themselves. */
import type { Clock } from '../core/clock.ts'
import type { PartitionReader, Progress, SourceHost } from '../core/contracts.ts'
import { asBridgeError } from '../core/errors.ts'
import { errorText, type Logger } from '../observability/logger.ts'
import { Holding } from './holding.ts'
import type { Checkpoint, Lease, LeaseStore } from './lease-store.ts'
import { type ListedPartition, removable, startable } from './lineage.ts'
import { isReserved, Members, Membership } from './membership.ts'
import { fairShare } from './shares.ts'
import { ifFree } from './write-own.ts'

/** A partition that this replica owns from now on. */
export interface Ownership {
  readonly partition: string
  readonly epoch: number
  /** Where the reader goes on. */
  readonly checkpoint: Checkpoint
  /** The reader's settlement: rejects with `Fenced` once ownership is lost. */
  commit(progress: Progress): Promise<void>
}

/** What the coordinator needs of a source. */
export interface PartitionedSource {
  /** The partitions that the service lists now. Rejects with a BridgeError; tried again. */
  discover(signal: AbortSignal): Promise<readonly ListedPartition[]>
  /** No I/O: the first poll may do that. */
  open(ownership: Ownership): PartitionReader
  /** True when no partition can appear once all are finished: `coordinate` then resolves. */
  readonly finite: boolean
}

export interface CoordinatorOptions {
  readonly store: LeaseStore
  /** Unique among the replicas; the newest process of a name wins. */
  readonly replica: string
  /** Milliseconds of silence after which a replica's partitions go to the others. */
  readonly leaseDuration: number
  /** Milliseconds between two looks at the list of partitions; also done when a partition ends. */
  readonly discoverInterval: number
  readonly clock: Clock
  readonly random: () => number
  readonly log: Logger
}

/**
 * Takes part in the distribution until the signal aborts (then drains and releases everything) or, with a finite source,
 * until every partition is finished.
 *
 * *Guarantees*: a partition has one owner that can commit; a partition starts only after all of its parents are finished;
 * every partition that may be worked on gets an owner while at least one replica lives.
 * *Errors*: rejects with a BridgeError when this replica lost its membership; to be called again.
 */
export async function coordinate(
  source: PartitionedSource,
  options: CoordinatorOptions,
  host: SourceHost,
  signal: AbortSignal,
): Promise<void> {
  await using membership = await Membership.join(options)
  const coordinator = new Coordinator(source, options, host, membership)
  await coordinator.run(signal)
}

/** Between two looks at the store: what others released is taken that fast. */
const longestScan = 5_000

class Coordinator {
  readonly #source: PartitionedSource
  readonly #options: CoordinatorOptions
  readonly #host: SourceHost
  readonly #membership: Membership
  readonly #members: Members
  readonly #holdings = new Map<string, Holding>()
  readonly #drains = new Set<Promise<void>>()
  #listing: ReadonlyMap<string, ListedPartition> | undefined
  #discoverAt = 0
  #wake = new AbortController()
  #storeWorks = true

  constructor(source: PartitionedSource, options: CoordinatorOptions, host: SourceHost, membership: Membership) {
    this.#source = source
    this.#options = options
    this.#host = host
    this.#membership = membership
    this.#members = new Members(options)
  }

  async run(signal: AbortSignal): Promise<void> {
    const { lost } = this.#membership
    const over = AbortSignal.any([signal, lost])
    lost.addEventListener('abort', () => this.#loseAll(), { once: true })
    const scan = Math.min(longestScan, this.#options.leaseDuration / 3)
    let finished = false
    while (!over.aborted && !finished) {
      this.#wake = new AbortController()
      finished = await this.#step(over)
      if (!finished) await this.#options.clock.sleep(scan, AbortSignal.any([over, this.#wake.signal]))
    }
    if (!lost.aborted) await Promise.all([...this.#holdings.values()].map((holding) => this.#give(holding)))
    await Promise.all(this.#drains)
    if (lost.aborted) throw asBridgeError(lost.reason)
  }

  /** One look and what follows from it. @returns true when all work of a finite source is done */
  async #step(signal: AbortSignal): Promise<boolean> {
    await this.#discover(signal)
    if (this.#listing === undefined || signal.aborted) return false
    try {
      const finished = await this.#balance(this.#listing, signal)
      this.#storeWorks = true
      return finished
    } catch (thrown) {
      if (this.#storeWorks) this.#options.log.warn('leases cannot be read', { error: errorText(thrown) })
      this.#storeWorks = false
      return false
    }
  }

  async #discover(signal: AbortSignal): Promise<void> {
    const { clock, discoverInterval } = this.#options
    if (clock.monotonic() < this.#discoverAt && this.#listing !== undefined) return
    try {
      const found = await this.#source.discover(signal)
      this.#listing = new Map(found.map((listed) => [listed.partition, listed]))
      this.#discoverAt = clock.monotonic() + discoverInterval
      this.#host.connection(undefined)
    } catch (thrown) {
      if (!signal.aborted) this.#host.connection(asBridgeError(thrown))
    }
  }

  async #balance(listing: ReadonlyMap<string, ListedPartition>, signal: AbortSignal): Promise<boolean> {
    const { store } = this.#options
    const stored = await store.list()
    const { live, dead } = this.#members.observe(stored)
    const leases = new Map(
      stored.filter(({ partition }) => !isReserved(partition)).map((lease) => [lease.partition, lease]),
    )
    for (const holding of this.#holdings.values()) this.#check(holding, leases.get(holding.partition))
    for (const partition of startable(listing, leases)) leases.set(partition, await store.create(partition))
    const open = [...leases.values()].filter(({ checkpoint }) => !checkpoint.ended)
    this.#host.partitions(open.length)
    await this.#takeShare(open, live, signal)
    for (const lease of [...dead, ...removable(listing, leases)]) await ifFree(() => store.remove(lease))
    return this.#source.finite && open.length === 0 && this.#holdings.size === 0
  }

  /** Compares what this replica holds with what is stored. */
  #check(holding: Holding, lease: Lease | undefined): void {
    if (holding.ended) this.#finish(holding)
    else if (lease === undefined || lease.owner !== this.#options.replica || lease.epoch !== holding.epoch) {
      this.#lose(holding)
    }
  }

  async #takeShare(open: readonly Lease[], live: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    const { replica, random } = this.#options
    const owned = new Map([...live].map((name) => [name, 0]))
    for (const { owner = '' } of open) if (owned.has(owner)) owned.set(owner, (owned.get(owner) ?? 0) + 1)
    const share = fairShare(replica, open.length, owned)
    const keeping = [...this.#holdings.values()].filter((holding) => holding.state === 'held')
    for (const holding of keeping.slice(share)) this.#track(this.#give(holding))

    const free = open.filter((lease) => this.#isFree(lease, live))
    // In an order of its own, so that replicas that start together do not all reach for the same one.
    const wanted = free.map((lease) => ({ lease, at: random() })).sort((a, b) => a.at - b.at)
    const room = Math.max(0, share - keeping.length)
    for (const { lease } of wanted.slice(0, room)) if (!signal.aborted) await this.#acquire(lease)
    for (const { lease } of wanted.slice(room)) {
      // Ours by the store, but not held: what an earlier life, or a release that failed, left behind.
      if (lease.owner === replica) await ifFree(() => this.#options.store.release(lease))
    }
  }

  #isFree({ owner, partition }: Lease, live: ReadonlySet<string>): boolean {
    if (this.#holdings.has(partition)) return false
    return owner === undefined || owner === this.#options.replica || !live.has(owner)
  }

  async #acquire(free: Lease): Promise<void> {
    const { store, replica, log } = this.#options
    const lease = await ifFree(() => store.acquire(free, replica))
    if (lease === undefined || this.#membership.lost.aborted) return
    const holding = new Holding(lease, {
      store,
      changed: () => this.#wake.abort(),
    })
    this.#holdings.set(lease.partition, holding)
    holding.reader = this.#source.open({
      partition: lease.partition,
      epoch: lease.epoch,
      checkpoint: lease.checkpoint,
      commit: (progress) => holding.commit(progress),
    })
    log.info('partition taken', { partition: lease.partition, epoch: lease.epoch })
    this.#host.assigned(holding.reader)
  }

  /** Drains a partition and gives it away. */
  async #give(holding: Holding): Promise<void> {
    if (holding.state !== 'held') return
    holding.state = 'draining'
    await this.#revoke(holding, 'drain')
    await holding.release().catch((thrown: unknown) => {
      this.#options.log.warn('lease not released', { partition: holding.partition, error: errorText(thrown) })
    })
    this.#forget(holding)
    this.#options.log.info('partition given away', { partition: holding.partition, epoch: holding.epoch })
  }

  /** All of it is settled and stored: the children may start. */
  #finish(holding: Holding): void {
    if (holding.state !== 'held') return
    holding.state = 'draining'
    this.#discoverAt = 0
    this.#track(this.#revoke(holding, 'drain').then(() => this.#forget(holding)))
    this.#options.log.info('partition finished', { partition: holding.partition, epoch: holding.epoch })
  }

  #lose(holding: Holding): void {
    holding.state = 'lost'
    this.#forget(holding)
    this.#track(this.#revoke(holding, 'lost'))
    this.#options.log.warn('partition lost', { partition: holding.partition, epoch: holding.epoch })
  }

  #loseAll(): void {
    for (const holding of this.#holdings.values()) this.#lose(holding)
  }

  #track(work: Promise<void>): void {
    this.#drains.add(work)
    void work.finally(() => this.#drains.delete(work))
  }

  async #revoke({ reader }: Holding, how: 'drain' | 'lost'): Promise<void> {
    if (reader !== undefined) await this.#host.revoked(reader, how)
  }

  #forget(holding: Holding): void {
    if (this.#holdings.get(holding.partition) === holding) this.#holdings.delete(holding.partition)
    this.#wake.abort()
  }
}
