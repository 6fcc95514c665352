/**
 * "I have been here before", remembered where it does not expire with the positions: a bridge that has read a stream once never
 * treats a missing or foreign position as if it were new.
 */
import { BridgeError } from '../core/errors.ts'
import { isFenced } from '../lease-stores/write-own.ts'
import type { Lease, LeaseStore } from '../lease-stores/lease-store.ts'
import { setReset } from './advice.ts'
import { type HistoryContent, historyContent, reset } from './content.ts'
import { historyLease } from '../lease-stores/history-lease.ts'

export interface HistoryOptions {
  readonly store: LeaseStore
  /** The token of `spec.lifecycle.reset`; undefined when no reset is asked for. */
  readonly reset: string | undefined
  /** `spec.delivery.onDataGap`: Continue is a person's decision to go on at the earliest record behind every gap. */
  readonly onDataGap: 'Stop' | 'Continue'
}

/** Changes of the same moment by other replicas that are waited out. */
const attempts = 20

export class History {
  readonly #options: HistoryOptions
  /** What was remembered last: written again where somebody deletes it while the bridge runs. */
  #last: HistoryContent | undefined

  constructor(options: HistoryOptions) {
    this.#options = options
  }

  /** True when a person has decided to go on at the earliest record where records or positions are gone. */
  get goesOn(): boolean {
    return this.#options.onDataGap === 'Continue'
  }

  /**
   * What is remembered now, undefined when this bridge never began; carries out a reset that is asked for and was not before.
   * *Errors*: what the store says, retryable; fatal `HistoryUnreadable`.
   */
  async recall(): Promise<HistoryContent | undefined> {
    const token = this.#options.reset
    if (token !== undefined) return this.change(reset(token))
    const content = read(await this.#options.store.create(historyLease))
    const last = this.#last
    if (content === undefined && last !== undefined) return this.change((now) => now ?? last)
    this.#last = content
    return content
  }

  /**
   * Changes what is remembered, whatever other replicas change at the same time. `change` may run several times.
   * Resolves with what is stored then. *Errors*: as `recall`.
   */
  async change(change: (content: HistoryContent | undefined) => HistoryContent): Promise<HistoryContent> {
    const { store } = this.#options
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const lease = await store.create(historyLease)
      const stored = read(lease)
      const after = change(stored ?? this.#last)
      if (after !== stored && !(await this.#write(lease, after))) continue
      this.#last = after
      return after
    }
    throw new BridgeError('what the bridge remembers of its source keeps being changed by others', {
      kind: 'retryable',
      reason: 'LeaseStoreUnavailable',
    })
  }

  /** False when another replica was first: its word is the base of ours. */
  async #write(lease: Lease, content: HistoryContent): Promise<boolean> {
    try {
      await this.#options.store.checkpoint(lease, { position: JSON.stringify(content), ended: false })
      return true
    } catch (thrown) {
      if (isFenced(thrown)) return false
      throw thrown
    }
  }
}

function read({ checkpoint: { position }, unreadable }: Lease): HistoryContent | undefined {
  if (position === undefined && unreadable === undefined) return undefined
  const parsed = historyContent.safeParse(json(String(position)))
  if (parsed.success) return parsed.data
  throw new BridgeError(
    'what the bridge remembers of its source (the Lease or folder that ends with "history") cannot be read, so nobody can say whether its ' +
      `positions still count: restore it, or delete it and ${setReset} to begin at startPosition`,
    { kind: 'fatal', reason: 'HistoryUnreadable' },
  )
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
