import type { Clock } from '../../core/clock.ts'
import { BridgeError } from '../../core/errors.ts'
import type { Lease, LeaseStore } from '../../lease-stores/lease-store.ts'
import { ifFree, isFenced, writeOwn } from '../../lease-stores/write-own.ts'

/** Leases whose name begins so are not partitions: no service's partition begins with `~`. */
const reserved = '~'
const prefix = `${reserved}replica/`

export const isReserved = (partition: string): boolean => partition.startsWith(reserved)

export interface MembershipOptions {
  readonly store: LeaseStore
  readonly replica: string
  /** Milliseconds. */
  readonly leaseDuration: number
  readonly clock: Clock
  readonly random: () => number
}

/**
 * This replica's proof of life: one lease per replica, renewed three times per lease duration, stands for all partitions it
 * owns. So an idle bridge writes once per replica and renewal, however many partitions it has.
 *
 * A replica that cannot reach the store goes on with what it owns: nobody can say whether the store is away for all, and
 * then records must keep moving. Where the others took over meanwhile, the store refuses its commits (they are conditional)
 * and it learns so at the first answer; until then it delivers twice, never out of order.
 */
export class Membership implements AsyncDisposable {
  readonly #options: MembershipOptions
  readonly #lost = new AbortController()
  readonly #stopped = new AbortController()
  #lease: Lease
  readonly #background: Promise<void>

  private constructor(options: MembershipOptions, lease: Lease) {
    this.#options = options
    this.#lease = lease
    this.#background = this.#renew()
  }

  /** Joins; a member of the same name is fenced, because it may be an earlier life of this replica that was killed. */
  static async join(options: MembershipOptions): Promise<Membership> {
    const { store, replica, random } = options
    /** Tells this process from another one of its name. */
    const checkpoint = { position: String(random()), ended: false }
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const lease = await ifFree(async () =>
        store.acquire({ ...(await store.create(prefix + replica)), checkpoint }, replica),
      )
      if (lease !== undefined) return new Membership(options, lease)
    }
    throw new BridgeError(`several processes run under the name of replica ${replica}`, {
      kind: 'retryable',
      reason: 'ReplicaNameTaken',
    })
  }

  /** Waits until nobody lives under the replica's name. *Errors*: none; a store that is away is waited for. */
  static async freed(options: MembershipOptions, signal: AbortSignal): Promise<void> {
    const { store, clock, leaseDuration, replica } = options
    const members = new Members({ ...options, replica: '' })
    while (!signal.aborted) {
      const stored = await store.list().catch(() => undefined)
      if (stored !== undefined && !members.observe(stored).live.has(replica)) return
      await clock.sleep(leaseDuration / 3, signal)
    }
  }

  /** Looks whether the name is still this process's. */
  check(stored: readonly Lease[]): void {
    if (stored.some((lease) => lease.partition === this.#lease.partition && !this.#isOwn(lease))) this.#lose(taken)
  }

  /** Aborts when the store says that this replica is no member any more; its reason is a BridgeError. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  async #renew(): Promise<void> {
    const { store, clock, leaseDuration } = this.#options
    const { signal } = this.#stopped
    for (;;) {
      await clock.sleep(leaseDuration / 3, signal)
      if (signal.aborted) return
      try {
        this.#lease = await writeOwn(store, this.#lease, (lease) => store.renew(lease), this.#isOwn)
      } catch (thrown) {
        if (isFenced(thrown)) await this.#explain()
      }
    }
  }

  readonly #isOwn = ({ checkpoint }: Lease): boolean => checkpoint.position === this.#lease.checkpoint.position

  /** Ownership is over: to whom it went decides whether to join again. */
  async #explain(): Promise<void> {
    const stored = await this.#options.store.list().catch(() => [])
    this.check(stored)
    if (!this.#lost.signal.aborted) this.#lose(thoughtDead)
  }

  #lose({ message, ...rest }: Loss): void {
    this.#stopped.abort()
    this.#lost.abort(new BridgeError(message(this.#options.replica), rest))
  }

  /** Leaves: the others need not wait for this replica to expire. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort()
    await this.#background
    if (this.#lost.signal.aborted) return
    // Best effort: when it fails the lease expires.
    const remove = async (lease: Lease): Promise<Lease> => {
      await this.#options.store.remove(lease)
      return lease
    }
    await writeOwn(this.#options.store, this.#lease, remove, this.#isOwn).catch(() => undefined)
  }
}

interface Loss {
  readonly kind: 'retryable' | 'fatal'
  readonly reason: 'LeaseLost' | 'ReplicaNameTaken'
  readonly message: (replica: string) => string
}

const thoughtDead: Loss = {
  kind: 'retryable',
  reason: 'LeaseLost',
  message: (replica) => `the others think this replica dead (${replica})`,
}

const taken: Loss = {
  kind: 'fatal',
  reason: 'ReplicaNameTaken',
  message: (replica) =>
    `another process runs under the name of this replica, ${replica}: this one reads nothing until the other is gone; end one of the two, ` +
    'or give it its own --replica',
}

/**
 * What this replica sees of the others: one whose lease did not change for the lease duration is dead. Only time in which
 * this replica looked counts: while the store is away nobody can renew, and nobody dies of it.
 */
export class Members {
  readonly #options: MembershipOptions
  readonly #seen = new Map<string, { readonly version: string; readonly silent: number }>()
  #lookedAt: number | undefined
  #unknown: ReadonlySet<string> = new Set()

  constructor(options: MembershipOptions) {
    this.#options = options
  }

  /** Names of live replicas, this one included, and the leases of dead ones. */
  observe(leases: readonly Lease[]): { readonly live: ReadonlySet<string>; readonly dead: readonly Lease[] } {
    const { replica: me, clock, leaseDuration } = this.#options
    const now = clock.monotonic()
    // An owner renews this often: a longer gap between two looks proves no more.
    const watched = Math.min(now - (this.#lookedAt ?? now), leaseDuration / 3)
    this.#lookedAt = now
    const known = new Set([me])
    const live = new Set([me])
    const dead: Lease[] = []
    for (const lease of leases.filter(({ partition }) => partition.startsWith(prefix))) {
      const { partition, version } = lease
      const before = this.#seen.get(partition)
      const silent = before?.version === version ? before.silent + watched : 0
      this.#seen.set(partition, { version, silent })
      const replica = partition.slice(prefix.length)
      known.add(replica)
      if (replica !== me && silent < leaseDuration) live.add(replica)
      if (replica !== me && silent >= leaseDuration) dead.push(lease)
    }
    // A list need not be a snapshot: an owner without a lease of its own may have joined while it was made.
    const owners = leases.flatMap(({ partition, owner = me }) => (isReserved(partition) ? [] : [owner]))
    const unknown = new Set(owners.filter((owner) => !known.has(owner)))
    for (const owner of unknown) if (!this.#unknown.has(owner)) live.add(owner)
    this.#unknown = unknown
    return { live, dead }
  }
}
