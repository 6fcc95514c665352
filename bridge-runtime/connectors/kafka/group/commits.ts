/** Gathers the partitions' commits into few requests, one at a time. */
import type { Clock } from '../../../core/clock.ts'
import { BridgeError, fenced } from '../../../core/errors.ts'
import { answerError } from '../errors.ts'
import { type Commit, type Membership, MembershipLost } from './membership.ts'

interface Waiting {
  readonly commit: Commit
  /** Whether the partition is still ours. */
  readonly owned: () => boolean
  readonly resolve: () => void
  readonly reject: (error: BridgeError) => void
}

/** While the group is between two generations nothing can be committed: that passes. */
const between = new Set(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION'])
const retryDelay = 100
/** Milliseconds after which a rebalance counts as an error of the commit. */
const rebalanceTimeout = 30_000

export class Commits {
  readonly #membership: Membership
  readonly #clock: Clock
  #waiting: Waiting[] = []
  #running = false

  constructor(membership: Membership, clock: Clock) {
    this.#membership = membership
    this.#clock = clock
  }

  /** Resolves when the group has the position. Rejects with a BridgeError; reason `Fenced` when the partition is lost. */
  commit(commit: Commit, owned: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ commit, owned, resolve, reject })
      if (!this.#running) void this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#running = true
    // Commits of the same turn of the event loop go together.
    await Promise.resolve()
    let since: number | undefined
    while (this.#waiting.length > 0) {
      const round = this.#waiting.filter(isOwned)
      this.#waiting = []
      const again = round.length === 0 ? [] : await this.#send(round)
      if (again.length === 0) {
        since = undefined
        continue
      }
      since ??= this.#clock.monotonic()
      if (this.#clock.monotonic() - since > rebalanceTimeout) {
        for (const one of again) one.reject(answerError('REBALANCE_IN_PROGRESS', `committing ${one.commit.topic}`))
        continue
      }
      this.#waiting.unshift(...again)
      await this.#clock.sleep(retryDelay)
    }
    this.#running = false
  }

  /** Returns what must wait for the next generation. */
  async #send(round: readonly Waiting[]): Promise<readonly Waiting[]> {
    try {
      const names = await this.#membership.commit(round.map(({ commit }) => commit))
      return round.filter((one, index) => !this.#settle(one, names[index] ?? 'UNKNOWN_SERVER_ERROR'))
    } catch (thrown) {
      for (const one of round) one.reject(asError(thrown, one))
      return []
    }
  }

  #settle({ commit, resolve, reject }: Waiting, name: string): boolean {
    const partition = `${commit.topic}/${commit.partition}`
    if (name === 'NONE') resolve()
    else if (between.has(name)) return false
    else if (name === 'UNKNOWN_MEMBER_ID' || name === 'FENCED_INSTANCE_ID') reject(fenced(partition))
    else reject(answerError(name, `committing the position of ${partition}`))
    return true
  }
}

function isOwned({ owned, reject, commit }: Waiting): boolean {
  if (!owned()) reject(fenced(`${commit.topic}/${commit.partition}`))
  return owned()
}

function asError(thrown: unknown, { commit }: Waiting): BridgeError {
  if (thrown instanceof MembershipLost) return fenced(`${commit.topic}/${commit.partition}`)
  if (thrown instanceof BridgeError) return thrown
  return new BridgeError(`committing: ${String(thrown)}`, { kind: 'retryable', reason: 'Unknown', cause: thrown })
}
