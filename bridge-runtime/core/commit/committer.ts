import { backoff, type BackoffSettings } from '../backoff.ts'
import type { Clock } from '../clock.ts'
import type { Position, Progress } from '../contracts.ts'
import { asBridgeError } from '../errors.ts'
import type { ErrorTracker } from '../health/error-tracker.ts'
import type { Statistics } from '../health/statistics.ts'

export interface CommitterOptions {
  readonly partition: string
  /** As `Settlement.commit`. */
  readonly commit: (progress: Progress) => Promise<void>
  /** What could be committed now. */
  readonly progress: () => Progress
  /** Another owner has the partition. */
  readonly fenced: () => void
  readonly backoff: BackoffSettings
  readonly clock: Clock
  readonly random: () => number
  readonly errors: ErrorTracker
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
  async commitUntilDeadline(deadline: AbortSignal): Promise<void> {
    const { clock, random, backoff: settings } = this.#options
    for (let attempt = 0; ; attempt += 1) {
      await this.commit()
      if (this.#closed || deadline.aborted || !this.behind) return
      await clock.sleep(backoff(settings, attempt, random), deadline)
    }
  }

  #start(): Promise<void> {
    if (this.#closed || !this.behind) return Promise.resolve()
    this.#running = this.#write(this.#options.progress()).finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #write(progress: Progress): Promise<void> {
    const { partition, errors, statistics, clock } = this.#options
    const place = `${partition} commit`
    try {
      await this.#options.commit(progress)
      this.#committed = progress
      if (this.#closed) return
      statistics.committed(clock.now())
      errors.worked('checkpoint', place)
    } catch (thrown) {
      const error = asBridgeError(thrown)
      if (error.reason === 'Fenced') this.#options.fenced()
      else if (!this.#closed) errors.failed('checkpoint', place, error)
    }
  }
}
