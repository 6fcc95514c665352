import type { Clock } from '../core/clock.ts'
import { BridgeError } from '../core/errors.ts'
import type { Lease, LeaseStore } from './lease-store.ts'
import { ifFree, isFenced, writeOwn } from './write-own.ts'

/** Leases whose name begins so are not partitions: no service's partition begins with `~`. */
const reserved = '~'
const prefix = `${reserved}replica/`

export const isReserved = (partition: string): boolean => partition.startsWith(reserved)

/** The share of the lease duration after which a silent owner stops by itself: before anybody else takes over. */
const safety = 0.9

export interface MembershipOptions {
  readonly store: LeaseStore
  readonly replica: string
  /** Milliseconds. */
  readonly leaseDuration: number
  readonly clock: Clock
}

/**
 * This replica's proof of life: one lease per replica, renewed three times per lease duration, stands for all partitions it
 * owns. So an idle bridge writes once per replica and renewal, however many partitions it has.
 *
 * *Guarantees*: `lost` fires before any other replica, by its own monotonic clock, may think this one dead.
 */
export class Membership implements AsyncDisposable {
  readonly #options: MembershipOptions
  readonly #lost = new AbortController()
  readonly #stopped = new AbortController()
  #lease: Lease
  #validUntil: number
  readonly #background: Promise<unknown>

  private constructor(options: MembershipOptions, lease: Lease, since: number) {
    this.#options = options
    this.#lease = lease
    this.#validUntil = since + options.leaseDuration * safety
    this.#background = Promise.all([this.#renew(), this.#watch()])
  }

  /** Joins; a member of the same name (an earlier life of this replica) is fenced. */
  static async join(options: MembershipOptions): Promise<Membership> {
    const { store, replica, clock } = options
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const since = clock.monotonic()
      const lease = await ifFree(async () => store.acquire(await store.create(prefix + replica), replica))
      if (lease !== undefined) return new Membership(options, lease, since)
    }
    throw new BridgeError(`several processes run under the name of replica ${replica}`, {
      kind: 'retryable',
      reason: 'LeaseLost',
    })
  }

  /** Aborts when ownership must no longer be relied on; its reason is a BridgeError. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** Checked before each commit, because a timer can be late. */
  get valid(): boolean {
    if (this.#options.clock.monotonic() >= this.#validUntil)
      this.#lose('this replica could not renew its lease in time')
    return !this.#lost.signal.aborted
  }

  async #renew(): Promise<void> {
    const { store, clock, leaseDuration } = this.#options
    const { signal } = this.#stopped
    for (;;) {
      await clock.sleep(leaseDuration / 3, signal)
      if (signal.aborted) return
      const sent = clock.monotonic()
      try {
        this.#lease = await writeOwn(store, this.#lease, (lease) => store.renew(lease))
        if (this.valid) this.#validUntil = sent + leaseDuration * safety
      } catch (thrown) {
        if (isFenced(thrown)) this.#lose('another process with the name of this replica took its lease')
      }
    }
  }

  async #watch(): Promise<void> {
    const { clock } = this.#options
    while (!this.#stopped.signal.aborted && this.valid) {
      await clock.sleep(Math.max(1, this.#validUntil - clock.monotonic()), this.#stopped.signal)
    }
  }

  #lose(why: string): void {
    this.#stopped.abort()
    this.#lost.abort(new BridgeError(`${why} (${this.#options.replica})`, { kind: 'retryable', reason: 'LeaseLost' }))
  }

  /** Leaves: the others need not wait for this replica to expire. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort()
    await this.#background
    if (this.#lost.signal.aborted) return
    // Best effort: when it fails the lease expires.
    await writeOwn(this.#options.store, this.#lease, async (lease) => {
      await this.#options.store.remove(lease)
      return lease
    }).catch(() => undefined)
  }
}

/** What this replica sees of the others: one whose lease did not change for the lease duration is dead. */
export class Members {
  readonly #options: MembershipOptions
  readonly #seen = new Map<string, { readonly version: string; readonly since: number }>()
  #unknown: ReadonlySet<string> = new Set()

  constructor(options: MembershipOptions) {
    this.#options = options
  }

  /** Names of live replicas, this one included, and the leases of dead ones. */
  observe(leases: readonly Lease[]): { readonly live: ReadonlySet<string>; readonly dead: readonly Lease[] } {
    const { replica: me, clock, leaseDuration } = this.#options
    const now = clock.monotonic()
    const known = new Set([me])
    const live = new Set([me])
    const dead: Lease[] = []
    for (const lease of leases.filter(({ partition }) => partition.startsWith(prefix))) {
      const { partition, version } = lease
      const before = this.#seen.get(partition)
      const since = before?.version === version ? before.since : now
      this.#seen.set(partition, { version, since })
      const replica = partition.slice(prefix.length)
      known.add(replica)
      if (replica !== me && now - since < leaseDuration) live.add(replica)
      if (replica !== me && now - since >= leaseDuration) dead.push(lease)
    }
    // A list need not be a snapshot: an owner without a lease of its own may have joined while it was made.
    const owners = leases.flatMap(({ partition, owner = me }) => (isReserved(partition) ? [] : [owner]))
    const unknown = new Set(owners.filter((owner) => !known.has(owner)))
    for (const owner of unknown) if (!this.#unknown.has(owner)) live.add(owner)
    this.#unknown = unknown
    return { live, dead }
  }
}
