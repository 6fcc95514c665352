/** For tests: replicas that share partitions over a store that is slow and fails, while they are stopped, cut off and killed. */
import { type FakeClock, fakeClock } from '../fake-clock.ts'
import { randomNumbers } from '../verifier.ts'
import type { Clock } from '../../../bridge-runtime/core/clock.ts'
import type { PartitionReader, Position, SourceHost } from '../../../bridge-runtime/core/contracts.ts'
import { asBridgeError, BridgeError } from '../../../bridge-runtime/core/errors.ts'
import { silentLogger } from '../../../bridge-runtime/observability/logger.ts'
import { coordinate } from '../../../bridge-runtime/leases/coordinate.ts'
import type { Ownership } from '../../../bridge-runtime/leases/partitioned-source.ts'
import type { Lease, LeaseStore } from '../../../bridge-runtime/lease-stores/lease-store.ts'
import type { ListedPartition } from '../../../bridge-runtime/leases/lineage.ts'
import { historyOn, unnamed } from './history.ts'
import { memoryLeases } from '../../../bridge-runtime/lease-stores/memory.ts'

export type Action = 'pause' | 'resume' | 'cut' | 'heal' | 'kill' | 'start' | 'stop'

interface Work {
  readonly replica: Replica
  /** Which life of the replica. */
  readonly life: number
  readonly reader: PartitionReader
  stopped: boolean
  lost: boolean
  done: Promise<void>
}

const leaseDuration = 3_000

/** Partitions, how many records each has, and what was delivered of them. */
export class World {
  readonly clock: FakeClock = fakeClock()
  readonly random: () => number
  readonly listing: readonly ListedPartition[]
  readonly records: number
  /** Deliveries per partition: record numbers in the order of arrival. */
  readonly delivered = new Map<string, number[]>()
  readonly working = new Set<Work>()
  readonly store: LeaseStore
  /** Chance that an answer of the store is lost behind the writing. */
  lossy = 0.05
  writes = 0
  /** What must never happen, in words. */
  readonly violations: string[] = []

  constructor(seed: number, listing: readonly ListedPartition[], records: number) {
    this.random = randomNumbers(seed)
    this.listing = listing
    this.records = records
    this.store = this.#watched(memoryLeases())
  }

  /** Checks what the store accepts: a checkpoint never goes back, and nothing follows an end. */
  #watched(store: LeaseStore): LeaseStore {
    const checkpoints = new Map<string, Lease['checkpoint']>()
    return {
      ...store,
      checkpoint: async (lease, checkpoint) => {
        const written = await store.checkpoint(lease, checkpoint)
        const before = checkpoints.get(lease.partition)
        const back = Number(checkpoint.position ?? -1) < Number(before?.position ?? -1)
        if (back || (before?.ended === true && !checkpoint.ended)) this.violations.push(`${lease.partition} went back`)
        checkpoints.set(lease.partition, checkpoint)
        return written
      },
    }
  }

  begin(work: Work): void {
    for (const other of this.working) {
      if (other.reader.partition !== work.reader.partition || other.lost || other.stopped) continue
      if (other.replica.undisturbed(other.life))
        this.violations.push(`${work.reader.partition} has two owners that live`)
    }
    for (const parent of this.listing.find(({ partition }) => partition === work.reader.partition)?.parents ?? []) {
      const complete = new Set(this.delivered.get(parent)).size === this.records
      if (!complete) this.violations.push(`${work.reader.partition} began before ${parent} was delivered`)
    }
    this.working.add(work)
  }

  deliver(partition: string, record: number): void {
    const before = this.delivered.get(partition) ?? []
    if (!before.includes(record) && before.some((earlier) => earlier > record))
      this.violations.push(`${partition}: ${record} came late`)
    before.push(record)
    this.delivered.set(partition, before)
  }

  /** True when every record of every partition has arrived. */
  get complete(): boolean {
    return this.listing.every(({ partition }) => new Set(this.delivered.get(partition)).size === this.records)
  }
}

/** One process. `pause` stops it as SIGSTOP does, `cut` keeps it from the store. */
export class Replica {
  readonly name: string
  readonly #world: World
  #life = 0
  #paused: Promise<void> | undefined
  #resume: () => void = () => undefined
  #stop = new AbortController()
  #cut = false
  #disturbedAt = 0
  done: Promise<void> = Promise.resolve()

  constructor(world: World, name: string) {
    this.#world = world
    this.name = name
  }

  /** True while that life goes on and has reached the store long enough to know who owns what. */
  undisturbed(life: number): boolean {
    const calm = this.#world.clock.monotonic() - this.#disturbedAt > 2 * leaseDuration
    return this.#life === life && this.#paused === undefined && !this.#cut && calm
  }

  do(action: Action): void {
    if (action !== 'start' && action !== 'stop') this.#disturbedAt = this.#world.clock.monotonic()
    switch (action) {
      case 'pause':
        this.#paused ??= new Promise((resolve) => {
          this.#resume = resolve
        })
        return
      case 'resume':
        this.#paused = undefined
        return this.#resume()
      case 'cut':
        this.#cut = true
        return
      case 'heal':
        this.#cut = false
        return
      case 'kill':
        this.#life = -Math.abs(this.#life)
        return
      case 'stop':
        return this.#stop.abort()
      case 'start':
        if (this.#life <= 0) this.#start()
    }
  }

  #start(): void {
    this.#life = Math.abs(this.#life) + 1
    this.#stop = new AbortController()
    const life = this.#life
    this.done = this.#run(life, this.#stop.signal)
  }

  /** Passes while this life goes on; waits while it is paused; never again once it was killed. */
  #gate = async (life: number): Promise<void> => {
    while (this.#paused !== undefined) await this.#paused
    if (this.#life !== life) await new Promise(() => undefined)
  }

  async #run(life: number, signal: AbortSignal): Promise<void> {
    const { clock, random, listing } = this.#world
    const own: Clock = {
      ...clock,
      monotonic: () => clock.monotonic(),
      sleep: (milliseconds, aborted) => clock.sleep(milliseconds, aborted).then(() => this.#gate(life)),
    }
    const source = {
      finite: true,
      ...unnamed,
      discover: async () => listing,
      open: (ownership: Ownership) => this.#reader(ownership, own),
    }
    const store = this.#store(life)
    const options = {
      store,
      history: historyOn(store),
      replica: this.name,
      leaseDuration,
      discoverInterval: 2_000,
      clock: own,
      random,
      log: silentLogger,
    }
    while (!signal.aborted) {
      try {
        await coordinate(source, options, this.#host(life, own), signal)
        break
      } catch (thrown) {
        asBridgeError(thrown)
        await own.sleep(200, signal)
      }
    }
    if (this.#life === life) this.#life = -life
  }

  #store(life: number): LeaseStore {
    const { store, clock, random } = this.#world
    const through = async <T>(call: () => Promise<T>): Promise<T> => {
      await clock.sleep(random() * 60)
      await this.#gate(life)
      if (this.#cut) throw new BridgeError('no answer', { kind: 'retryable', reason: 'LeaseStoreUnavailable' })
      this.#world.writes += 1
      const answer = await call()
      await clock.sleep(random() * 60)
      await this.#gate(life)
      if (random() < this.#world.lossy) throw new BridgeError('answer lost', { kind: 'retryable', reason: 'Timeout' })
      return answer
    }
    return {
      list: () => through(() => store.list()),
      create: (partition) => through(() => store.create(partition)),
      acquire: (lease, owner) => through(() => store.acquire(lease, owner)),
      renew: (lease) => through(() => store.renew(lease)),
      checkpoint: (lease, checkpoint) => through(() => store.checkpoint(lease, checkpoint)),
      release: (lease) => through(() => store.release(lease)),
      remove: (lease) => through(() => store.remove(lease)),
    }
  }

  #reader(ownership: Ownership, clock: Clock): PartitionReader {
    const { partition, epoch, checkpoint } = ownership
    const { records, random } = this.#world
    let next = checkpoint.position === undefined ? 0 : Number(checkpoint.position) + 1
    return {
      partition,
      stream: undefined,
      epoch,
      settlement: { kind: 'watermark', commit: (progress) => ownership.commit(progress) },
      lag: () => ({ kind: 'known', records: records - next }),
      poll: async (signal) => {
        await clock.sleep(random() * 300, signal)
        if (signal.aborted || next >= records) return signal.aborted ? undefined : 'end'
        const record = { key: null, value: null, headers: [], timestamp: 0, position: next }
        next += 1
        const { position } = record
        return { count: 1, bytes: 1, first: position, last: position, lastTimestamp: 0, records: () => [record] }
      },
    }
  }

  #host(life: number, clock: Clock): SourceHost {
    const works = new Map<PartitionReader, Work>()
    return {
      assigned: (reader) => {
        const work: Work = { replica: this, life, reader, stopped: false, lost: false, done: Promise.resolve() }
        this.#world.begin(work)
        works.set(reader, work)
        work.done = this.#work(work, clock)
      },
      revoked: async (reader, how) => {
        const work = works.get(reader)
        if (work === undefined) return
        if (how === 'lost') work.lost = true
        await (how === 'lost' ? undefined : this.#drain(work))
        work.stopped = true
        this.#world.working.delete(work)
      },
      connection: () => undefined,
      waiting: () => undefined,
      partitions: () => undefined,
      repeated: () => undefined,
    }
  }

  async #drain(work: Work): Promise<void> {
    work.stopped = true
    await work.done
  }

  /** As the engine: polls, delivers, commits what was delivered. */
  async #work(work: Work, clock: Clock): Promise<void> {
    let position: Position | undefined
    let committed: Position | undefined
    const over = (): boolean => work.stopped || work.lost
    const commit = async (ended: boolean): Promise<boolean> => {
      if (work.lost || work.reader.settlement.kind !== 'watermark') return false
      try {
        await work.reader.settlement.commit({ position, ended })
        committed = position
        return true
      } catch (thrown) {
        if (asBridgeError(thrown).reason === 'Fenced') work.lost = true
        return false
      }
    }
    while (!over()) {
      const polled = await work.reader.poll(new AbortController().signal)
      if (over()) break
      if (polled === 'end') {
        while (!over() && !(await commit(true))) await clock.sleep(50)
        return
      }
      if (polled === undefined) continue
      await clock.sleep(this.#world.random() * 100)
      if (work.lost) return
      this.#world.deliver(work.reader.partition, Number(polled.last))
      position = polled.last
      if (this.#world.random() < 0.3) await commit(false)
    }
    if (committed !== position) await commit(false)
  }
}
