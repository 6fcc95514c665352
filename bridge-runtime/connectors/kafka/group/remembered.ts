/** What the bridge remembers of its topics: asked before a partition is begun, told once it is. */
import type { Clock } from '../../../core/clock.ts'
import { asBridgeError, BridgeError } from '../../../core/errors.ts'
import {
  beginning,
  beginningAgain,
  begun,
  blank,
  goingOn,
  type HistoryContent,
  renewed,
  takingOver,
  withoutGap,
} from '../../../history/content.ts'
import type { History } from '../../../history/history.ts'
import { errorText, type Logger } from '../../../observability/logger.ts'
import { nameOf, type TopicPartition } from '../protocol/topic-partition.ts'
import type { TopicPlace } from '../cluster/cluster.ts'
import type { Committed } from './membership.ts'
import { editedSource, isEdited, legacyOf, streamName, streamOf } from './start.ts'
import { countsOf, type FoundTopics, type TopicFinder } from '../cluster/topics.ts'

export interface RememberedOptions {
  readonly history: History
  /** The connector's word for where a generation begins. */
  readonly start: string
  readonly finder: TopicFinder
  /** The group's positions of topics, given with their partitions. */
  readonly committed: (topics: ReadonlyMap<string, number>) => Promise<ReadonlyMap<string, Committed>>
  readonly clock: Clock
  readonly log: Logger
}

/** A partition that has a position from now on. */
export interface Begun {
  readonly at: TopicPartition
  readonly topic: TopicPlace
  /** What is remembered of its topic is of an earlier one of that name. */
  readonly renews: boolean
  /** A person has decided: what gap is remembered of it counts no more. */
  readonly decided: boolean
}

/** Milliseconds between two attempts to write down what could not be written. */
const retryDelay = 10_000

export class Remembered {
  readonly #options: RememberedOptions
  /** Begun while the store was away. */
  #due: readonly Begun[] = []
  #triedAt = 0

  constructor(options: RememberedOptions) {
    this.#options = options
  }

  /**
   * Before anything is read, and before a topic of the list that is missing ends it: what is made later is then known to be.
   * *Errors*: as `recall`, but for those that may pass: `open` asks again, unless a missing topic ends the run before.
   */
  async begin(): Promise<void> {
    const found = await this.#options.finder.find()
    try {
      await this.recall(found)
    } catch (thrown) {
      const error = asBridgeError(thrown)
      if (found.missing.length > 0 || (error.kind === 'fatal' && !isAway(error))) throw error
      this.#options.log.warn('what the bridge has read before cannot be looked up', { error: error.message })
    }
  }

  /**
   * What is remembered; the generation begins with these topics, unless it has begun.
   * *Errors*: `DataGap` where the source names other topics than those that were read; what the store or the group says.
   */
  async recall(found: FoundTopics): Promise<HistoryContent> {
    const {
      history,
      log,
      finder: { selects },
    } = this.#options
    const content = await history.recall()
    if (content?.start === undefined) return this.#begin(found, content?.generation ?? 1)
    if (!isEdited(content, selects)) return content
    const resolve = this.#resolution(found, content)
    if (resolve === undefined) throw editedSource(content)
    log.warn('goes on with other topics', {
      before: Object.keys(content.streams).join(', '),
      from: 'the earliest record',
    })
    return history.change((now = content) => (isEdited(now, selects) ? resolve(now) : now))
  }

  #resolution(found: FoundTopics, { streams }: HistoryContent) {
    const { history, start } = this.#options
    const all = streamsOf(found)
    if (Object.values(streams).every((stream) => stream.begun.length === 0)) return beginningAgain(start, all)
    return history.goesOn ? goingOn(all) : undefined
  }

  async #begin(found: FoundTopics, generation: number): Promise<HistoryContent> {
    const { history, start, committed } = this.#options
    const legacy = legacyOf(found.topics, await committed(countsOf(found.topics)), generation)
    return history.change(
      legacy === undefined ? beginning(start, streamsOf(found)) : takingOver(start, legacy.generation, legacy.streams),
    )
  }

  /** These have a position from now on. *Errors*: what the store says. */
  async begun(ones: readonly Begun[]): Promise<void> {
    if (ones.length === 0) return
    await this.#options.history.change((content = blank) => ones.reduce((now, one) => withBegun(one)(now), content))
  }

  /** As `begun`, once the store is there again: their positions are all that is needed to go on. */
  begunMeanwhile(ones: readonly Begun[]): void {
    this.#due = [...this.#due, ...ones]
    this.#triedAt = this.#options.clock.monotonic()
  }

  /** Writes down what could not be written, if it is time to. Never rejects. */
  async catchUp(found: FoundTopics): Promise<void> {
    const { clock, log } = this.#options
    const ones = this.#due
    if (ones.length === 0 || clock.monotonic() - this.#triedAt < retryDelay) return
    this.#triedAt = clock.monotonic()
    try {
      await this.recall(found)
      await this.begun(ones)
      this.#due = this.#due.filter((one) => !ones.includes(one))
    } catch (thrown) {
      log.warn('what was begun could not be remembered yet', { error: errorText(thrown) })
    }
  }
}

const withBegun =
  ({ at, topic, renews, decided }: Begun) =>
  (content: HistoryContent): HistoryContent => {
    // Found late: a topic that is not in the history is read from its first record, all of it.
    const stream = { ...streamOf(topic), found: 0 }
    const kept = renews ? renewed(stream, (partition) => partition.startsWith(`${at.topic}/`))(content) : content
    const known = begun(stream, [String(at.partition)])(kept)
    return decided ? withoutGap(nameOf(at))(known) : known
  }

const streamsOf = ({ topics, missing }: FoundTopics) => [
  ...topics.map(streamOf),
  ...missing.map((name) => ({ name: streamName(name), birth: undefined, found: 0 })),
]

const storeErrors = new Set(['LeaseStoreUnavailable', 'LeaseStoreForbidden'])

/** Whether it is the store that cannot be asked: then those go on whose positions fit. */
export const isAway = (thrown: unknown): boolean => thrown instanceof BridgeError && storeErrors.has(thrown.reason)
