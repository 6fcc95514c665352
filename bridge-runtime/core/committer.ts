import { backoff, type BackoffSettings } from './backoff.ts'
import type { Clock } from './clock.ts'
import type { PartitionReader, Position, Progress } from './contracts.ts'
import { asBridgeError } from './errors.ts'
import type { Failing } from './failing.ts'
import type { Statistics } from './statistics.ts'

export interface CommitterOptions {
  readonly reader: PartitionReader
  /** What could be committed now. */
  progress(): Progress
  /** Another owner has the partition. */
  fenced(): void
  readonly clock: Clock
  readonly failing: Failing
  readonly statistics: Statistics
}

/** Commits a partition's watermark: one commit at a time, only where it moved, nothing after `close`. */
export class Committer {
  readonly #options: CommitterOptions
  #committed: Progress = { position: undefined, ended: false }
  #running: Promise<void> | undefined
  #queued: Promise<void> | undefined
  #closed = false

  constructor(options: CommitterOptions) {
    this.#options = options
  }

  get position(): Position | undefined {
    return this.#committed.position
  }

  /** True when something is settled that is not committed. */
  get behind(): boolean {
    const progress = this.#options.progress()
    return progress.position !== this.#committed.position || progress.ended !== this.#committed.ended
  }

  close(): void {
    this.#closed = true
  }

  /** Resolves when what is settled now is committed or failed to be. Never rejects: a failure is reported and tried at the next call. */
  commit(): Promise<void> {
    if (this.#running === undefined) return this.#start()
    this.#queued ??= this.#running.then(() => {
      this.#queued = undefined
      return this.#start()
    })
    return this.#queued
  }

  /**
   * Commits a few times in the first interval (milliseconds). Else owners that live shorter than that, one after the
   * other, would all repeat the same records.
   */
  async commitEarly(interval: number, signal: AbortSignal): Promise<void> {
    for (const part of [1 / 8, 1 / 4, 1 / 2]) {
      await this.#options.clock.sleep(interval * part, signal)
      if (!signal.aborted) await this.commit()
    }
  }

  /** A commit that fails now would be a duplicate later: it is tried until the deadline. */
  async commitAtLast(
    retry: { readonly backoff: BackoffSettings; readonly random: () => number },
    deadline: AbortSignal,
  ): Promise<void> {
    const { reader, clock } = this.#options
    for (let attempt = 0; ; attempt += 1) {
      await this.commit()
      if (this.#closed || deadline.aborted || !this.behind || reader.settlement.kind !== 'watermark') return
      await clock.sleep(backoff(retry.backoff, attempt, retry.random), deadline)
    }
  }

  #start(): Promise<void> {
    const { settlement } = this.#options.reader
    if (this.#closed || !this.behind || settlement.kind !== 'watermark') return Promise.resolve()
    this.#running = this.#write(this.#options.progress(), settlement.commit.bind(settlement)).finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #write(progress: Progress, commit: (progress: Progress) => Promise<void>): Promise<void> {
    const { reader, failing, statistics, clock } = this.#options
    const place = `${reader.partition} commit`
    try {
      await commit(progress)
      this.#committed = progress
      if (this.#closed) return
      statistics.committed(clock.now())
      failing.worked('checkpoint', place)
    } catch (thrown) {
      const error = asBridgeError(thrown)
      if (error.reason === 'Fenced') this.#options.fenced()
      else if (!this.#closed) failing.failed('checkpoint', place, error)
    }
  }
}
