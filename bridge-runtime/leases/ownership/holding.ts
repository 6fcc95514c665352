import type { PartitionReader, Progress } from '../../core/contracts.ts'
import { fenced } from '../../core/errors.ts'
import type { Lease, LeaseStore } from '../../lease-stores/lease-store.ts'
import { isFenced, writeOwn } from '../../lease-stores/write-own.ts'

export interface HoldingOptions {
  readonly store: LeaseStore
  /** The partition ended or is lost. */
  changed(): void
}

/** A partition this replica owns for one epoch. Its writes are made one after the other, each based on the last. */
export class Holding {
  state: 'held' | 'draining' | 'lost' = 'held'
  reader: PartitionReader | undefined
  readonly #options: HoldingOptions
  #lease: Lease
  #last: Promise<unknown> = Promise.resolve()

  constructor(lease: Lease, options: HoldingOptions) {
    this.#lease = lease
    this.#options = options
  }

  get partition(): string {
    return this.#lease.partition
  }

  get epoch(): number {
    return this.#lease.epoch
  }

  get ended(): boolean {
    return this.#lease.checkpoint.ended
  }

  /** Of which stream and generation its positions are. */
  get tag(): string | undefined {
    return this.#lease.checkpoint.stream
  }

  /** *Errors*: `Fenced` when ownership is lost; otherwise retryable. */
  async commit({ position, ended }: Progress): Promise<void> {
    const { store } = this.#options
    await this.#write((lease) =>
      store.checkpoint(lease, {
        ...lease.checkpoint,
        position: position ?? lease.checkpoint.position,
        ended: lease.checkpoint.ended || ended,
      }),
    )
    if (ended) this.#options.changed()
  }

  /** Gives the partition away, if it is still this one's to give. */
  async release(): Promise<void> {
    if (this.state === 'lost' || this.ended) return
    await this.#write((lease) => this.#options.store.release(lease))
  }

  #write(write: (lease: Lease) => Promise<Lease>): Promise<void> {
    const next = this.#last.then(async () => {
      if (this.state === 'lost') throw fenced(this.partition)
      try {
        this.#lease = await writeOwn(this.#options.store, this.#lease, write)
      } catch (thrown) {
        if (isFenced(thrown)) {
          this.state = 'lost'
          this.#options.changed()
        }
        throw thrown
      }
    })
    this.#last = next.catch(() => undefined)
    return next
  }
}
