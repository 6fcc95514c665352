/** A replica that is a member: it looks at source and store, and takes, gives and keeps partitions. */
import type { Clock } from '../core/clock.ts'
import type { SourceHost } from '../core/contracts.ts'
import { asBridgeError } from '../core/errors.ts'
import type { FoundStream } from '../history/content.ts'
import type { History } from '../history/history.ts'
import { errorText, type Logger } from '../observability/logger.ts'
import type { Holding } from './ownership/holding.ts'
import type { Lease, LeaseStore } from '../lease-stores/lease-store.ts'
import { needed, removable } from './lineage.ts'
import { isReserved, Members, type Membership } from './ownership/membership.ts'
import { forgetting, opening } from './opening/opening.ts'
import type { PartitionedSource, Scene } from './partitioned-source.ts'
import { awaiting, recollect } from './opening/recollect.ts'
import { fairShare } from './ownership/shares.ts'
import { begunOf, isKnown, positionStateOf, tagOf } from './opening/position-state.ts'
import { Unlisted } from './ownership/unlisted.ts'
import { ifFree } from '../lease-stores/write-own.ts'

export interface CoordinatorOptions {
  readonly store: LeaseStore
  readonly history: History
  /** Unique among the replicas. The newest process of a name wins, once: the other stays off while that one lives. */
  readonly replica: string
  /** Milliseconds of silence after which a replica's partitions go to the others. */
  readonly leaseDuration: number
  /** Milliseconds between two looks at the list of partitions; also done when a partition ends. */
  readonly discoverInterval: number
  readonly clock: Clock
  readonly random: () => number
  readonly log: Logger
}

/** Between two looks at the store: what others released is taken that fast. */
const longestScan = 5_000

/** One membership's worth of `coordinate`. */
export class Coordinator {
  readonly #source: PartitionedSource
  readonly #options: CoordinatorOptions
  readonly #host: SourceHost
  readonly #membership: Membership
  readonly #members: Members
  readonly #holdings = new Map<string, Holding>()
  readonly #drains = new Set<Promise<void>>()
  readonly #unlisted = new Unlisted()
  #scene: Scene | undefined
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
    if (!lost.aborted) this.#giveAll()
    await Promise.all(this.#drains)
    if (lost.aborted) throw asBridgeError(lost.reason)
  }

  /** One look and what follows from it. @returns true when all work of a finite source is done */
  async #step(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#discover(signal)
      if (this.#scene === undefined || signal.aborted) return false
      const finished = await this.#balance(this.#scene, signal)
      this.#storeWorks = true
      return finished
    } catch (thrown) {
      if (signal.aborted) return false
      if (this.#storeWorks) this.#options.log.warn('leases cannot be read', { error: errorText(thrown) })
      this.#storeWorks = false
      // While records move, a store that is away is no word on the source.
      if (this.#holdings.size > 0) return false
      this.#host.connection(asBridgeError(thrown))
      this.#discoverAt = 0
      return false
    }
  }

  /** Looks at the source. *Errors*: what the store says; what the source says is told to the host. */
  async #discover(signal: AbortSignal): Promise<void> {
    const { clock, discoverInterval } = this.#options
    if (clock.monotonic() < this.#discoverAt && this.#scene !== undefined) return
    const look = async <T>(looking: Promise<T>): Promise<T | undefined> => {
      try {
        return await looking
      } catch (thrown) {
        if (!signal.aborted) this.#host.connection(asBridgeError(thrown))
        return undefined
      }
    }
    const begin = (): Promise<string> => this.#source.begin(signal)
    const stream = await look(this.#identify(signal))
    if (stream === undefined) return
    const recollecting = recollect(stream, { ...this.#options, begin }).catch((thrown: unknown) =>
      this.#refused(thrown),
    )
    const content = await recollecting
    if (content === undefined) return
    const found = await look(this.#source.discover(signal))
    if (found === undefined) return
    const listing = new Map(found.map((listed) => [listed.partition, listed]))
    this.#scene = { stream, content, tag: tagOf(content, stream), listing }
    this.#unlisted.listed()
    this.#discoverAt = clock.monotonic() + discoverInterval
    this.#host.connection(undefined)
  }

  /** *Errors*: what the source says; that there is no such stream is remembered first, where nothing else is. */
  async #identify(signal: AbortSignal): Promise<FoundStream> {
    try {
      return await this.#source.identify(signal)
    } catch (thrown) {
      if (this.#source.isMissing(asBridgeError(thrown))) await awaiting(this.#source.name, this.#options)
      throw thrown
    }
  }

  /** The positions are of another stream: nothing is read until a person decides. What was read of the old one is delivered. */
  #refused(thrown: unknown): undefined {
    const error = asBridgeError(thrown)
    if (error.reason !== 'DataGap') throw error
    this.#scene = undefined
    this.#giveAll()
    this.#host.connection(error)
  }

  async #balance(scene: Scene, signal: AbortSignal): Promise<boolean> {
    const { store } = this.#options
    const { listing, content, stream } = scene
    const counted = (lease: Lease): Lease => ({
      ...lease,
      checkpoint: positionStateOf(lease, content, stream).checkpoint,
    })
    const stored = await store.list()
    this.#membership.check(stored)
    if (this.#membership.lost.aborted) return false
    const { live, dead } = this.#members.observe(stored)
    const all = stored.filter(({ partition }) => !isReserved(partition))
    const ours = all.filter((lease) => isKnown(lease, content, stream))
    const leases = new Map(ours.map((lease) => [lease.partition, counted(lease)]))
    for (const holding of this.#holdings.values()) this.#check(holding, scene, leases.get(holding.partition))
    const begun = begunOf(content, stream)
    for (const partition of needed(listing, leases, begun))
      leases.set(partition, counted(await store.create(partition)))
    const open = [...leases.values()].filter(
      ({ partition, checkpoint }) => !checkpoint.ended && (listing.has(partition) || begun.includes(partition)),
    )
    this.#host.partitions(open.length)
    await this.#takeShare(open, scene, { live, signal })
    const over = removable(listing, all.map(counted), begun).filter(
      (lease) => this.#isFree(lease, live) && this.#surely(lease, scene),
    )
    await forgetting(over, scene, this.#options)
    for (const lease of [...dead, ...over]) await ifFree(() => store.remove(lease))
    return this.#source.finite && open.length === 0 && this.#holdings.size === 0
  }

  /** A listing may be older than a lease: one that is not listed is judged by the next. */
  #surely({ partition }: Lease, { listing }: Scene): boolean {
    if (listing.has(partition) || this.#unlisted.surely(partition)) return true
    this.#discoverAt = 0
    return false
  }

  /** Compares what this replica holds with what is stored. */
  #check(holding: Holding, { tag }: Scene, lease: Lease | undefined): void {
    if (holding.ended) this.#finish(holding)
    else if (lease === undefined || lease.owner !== this.#options.replica || lease.epoch !== holding.epoch) {
      this.#lose(holding)
    } else if (holding.tag !== tag) this.#track(this.#give(holding))
  }

  async #takeShare(
    open: readonly Lease[],
    scene: Scene,
    { live, signal }: { readonly live: ReadonlySet<string>; readonly signal: AbortSignal },
  ): Promise<void> {
    const { replica, random } = this.#options
    const owned = new Map([...live].map((name) => [name, 0]))
    for (const { owner = '' } of open) if (owned.has(owner)) owned.set(owner, (owned.get(owner) ?? 0) + 1)
    const share = fairShare(replica, open.length, owned)
    const keeping = [...this.#holdings.values()].filter((holding) => holding.state === 'held')
    for (const holding of keeping.slice(share)) this.#track(this.#give(holding))

    const free = open.filter((lease) => this.#isFree(lease, live) && this.#surely(lease, scene))
    // In an order of its own, so that replicas that start together do not all reach for the same one.
    const wanted = free.map((lease) => ({ lease, at: random() })).sort((a, b) => a.at - b.at)
    const room = Math.max(0, share - keeping.length)
    const taken = wanted.slice(0, room).map(({ lease }) => lease)
    if (taken.length > 0 && !signal.aborted) await this.#take(taken, scene, signal)
    for (const { lease } of wanted.slice(room)) {
      // Ours by the store, but not held: what an earlier life, or a release that failed, left behind.
      if (lease.owner === replica) await ifFree(() => this.#options.store.release(lease))
    }
  }

  #isFree({ owner, partition }: Lease, live: ReadonlySet<string>): boolean {
    if (this.#holdings.has(partition)) return false
    return owner === undefined || owner === this.#options.replica || !live.has(owner)
  }

  async #take(leases: readonly Lease[], scene: Scene, signal: AbortSignal): Promise<void> {
    const { lost } = this.#membership
    await opening(leases, scene, {
      ...this.#options,
      source: this.#source,
      over: AbortSignal.any([signal, lost]),
      changed: () => this.#wake.abort(),
      lookAgain: () => this.#lookAgain(),
      held: (holding) => void this.#holdings.set(holding.partition, holding),
      dropped: (holding) => this.#forget(holding),
      opened: (reader) => this.#host.assigned(reader),
    })
  }

  #lookAgain(): void {
    this.#discoverAt = 0
    this.#wake.abort()
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

  #giveAll(): void {
    for (const holding of this.#holdings.values()) this.#track(this.#give(holding))
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
