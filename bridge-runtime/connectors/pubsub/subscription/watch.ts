import type { Clock } from '../../../core/clock.ts'
import { asBridgeError, BridgeError } from '../../../core/errors.ts'
import { beginning, goingOn, type HistoryContent, withGap } from '../../../history/content.ts'
import type { History } from '../../../history/history.ts'
import { dataGap } from '../../../history/keeping-gaps.ts'
import { errorText, type Logger } from '../../../observability/logger.ts'
import type { Connection, SubscriptionSettings } from '../connection.ts'
import { type Judgement, judge, type Look, orphanedBecause, streamOf } from './identity.ts'
import type { PubsubSourceConfig } from '../schema.ts'
import { lookAt, readable, topicName } from './subscription.ts'

export interface SubscriptionWatchOptions {
  readonly connection: Pick<Connection, 'call'>
  readonly config: PubsubSourceConfig
  /** `projects/P/subscriptions/S` */
  readonly name: string
  readonly history: History
  readonly clock: Clock
  readonly log: Logger
}

/** Milliseconds between two looks at the subscription: it may be deleted or lose its topic while it is read. */
const lookInterval = 10_000
/** What the history says of where a bridge began: the service knows the position. */
const start = 'Subscription'

const orphan = (message: string | undefined): BridgeError | undefined =>
  message === undefined ? undefined : new BridgeError(message, { kind: 'fatal', reason: 'TopicDeleted' })

/** Sees to it that only the subscription is read that was read before, from the first look to the last. */
export class SubscriptionWatch {
  readonly #options: SubscriptionWatchOptions
  #wake = new AbortController()
  /** What the first look gave. */
  #opened: Look = 'hidden'

  constructor(options: SubscriptionWatchOptions) {
    this.#options = options
  }

  /**
   * Looks, decides, makes the subscription where that is wanted, and remembers it.
   * *Errors*: fatal `DataGap` where a person must decide, and what `readable` rejects with. While the store of what is remembered
   * is away a subscription that is there is read all the same.
   */
  async open(signal: AbortSignal): Promise<SubscriptionSettings | 'hidden'> {
    const { connection, config, name, history, log } = this.#options
    const look = await lookAt(connection, name, signal)
    const remembered = await this.#recall(look)
    const judgement = this.#judge(look, remembered)
    if (judgement.kind === 'misplaced') throw dataGap(judgement.message)
    const lost = judgement.kind === 'gap' ? judgement.message : undefined
    if (lost !== undefined && !history.goesOn) throw await this.#end(lost)
    const found = await readable(connection, config, { name, look }, signal)
    this.#opened = found
    if (remembered === 'away') return found
    if (lost !== undefined) {
      log.warn('records may be lost', { gap: lost })
      await history.change(goingOn([streamOf(name, found)]))
    } else if (judgement.kind === 'first') await history.change(beginning(start, [streamOf(name, found)]))
    return found
  }

  /** A call has said that the subscription is missing. */
  lookNow(): void {
    this.#wake.abort()
  }

  /**
   * Looks now and then until the signal aborts, the first time when `open` has looked long ago or a call has said that something is
   * missing: resolves with nothing then, or with the `DataGap` that ends the reading. `told` hears whether the topic is there.
   */
  async run(told: (error: BridgeError | undefined) => void, signal: AbortSignal): Promise<BridgeError | undefined> {
    const { connection, name, history, clock, log } = this.#options
    told(orphan(orphanedBecause(this.#opened, name)))
    await this.#pause(clock, signal)
    while (!signal.aborted) {
      try {
        const look = await lookAt(connection, name, signal)
        const remembered = await this.#recall(look)
        const judgement = this.#judge(look, remembered)
        if (judgement.kind === 'first' && typeof look !== 'string' && remembered !== 'away')
          await history.change(beginning(start, [streamOf(name, look)]))
        if (judgement.kind === 'misplaced') return dataGap(judgement.message)
        if (judgement.kind === 'gap') return await this.#end(judgement.message)
        told(orphan(orphanedBecause(look, name)))
      } catch (thrown) {
        // Whether it can be read is told by the reading itself.
        if (!signal.aborted) log.debug('the subscription could not be looked at', { error: errorText(thrown) })
      }
      await this.#pause(clock, signal)
    }
    return undefined
  }

  async #pause(clock: Clock, signal: AbortSignal): Promise<void> {
    await clock.sleep(lookInterval, AbortSignal.any([signal, this.#wake.signal]))
    this.#wake = new AbortController()
  }

  /** With a subscription that is there nothing is missing: it is read while the store is away. */
  async #recall(look: Look): Promise<HistoryContent | undefined | 'away'> {
    try {
      return await this.#options.history.recall()
    } catch (thrown) {
      const error = asBridgeError(thrown)
      if (look === 'missing' || error.kind !== 'retryable') throw error
      this.#options.log.warn('what was read before cannot be looked up yet', { error: error.message })
      return 'away'
    }
  }

  #judge(look: Look, remembered: HistoryContent | undefined | 'away'): Judgement {
    const { name, config } = this.#options
    const history = remembered === 'away' ? undefined : remembered
    return judge(look, { name, topic: topicName(config), history })
  }

  /** The gap stays, also when a subscription of the name is made again. */
  async #end(message: string): Promise<BridgeError> {
    const { history, name, log } = this.#options
    await history.change(withGap(name, message)).catch((thrown: unknown) => {
      log.warn('a gap could not be remembered', { error: errorText(thrown) })
    })
    return dataGap(message)
  }
}
