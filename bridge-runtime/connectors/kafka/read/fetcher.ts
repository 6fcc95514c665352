/**
 * Fetches for many partitions with few requests. A partition is asked for once per `want`, so one that nobody polls costs
 * nothing and blocks nobody.
 *
 * Per broker two requests are on their way at most: a patient one, which the broker holds until there is data, and while
 * it waits a brief one, for partitions that were wanted later. Otherwise a busy partition would wait for an idle one.
 */
import { BridgeError } from '../../../core/errors.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { answerError, codeName, translate } from '../errors.ts'
import type { KafkaReader } from './reader.ts'
import { type FetchRequest, fetchApi } from '../protocol/wire.ts'

/** Milliseconds the brief request waits: what a partition wanted during it can be late by. */
const briefWait = 10
/** Bytes one answer brings at most, but for a single larger batch. */
const maxAnswerBytes = 2 * 1024 * 1024

export interface FetcherOptions {
  readonly cluster: Cluster
  /** Milliseconds the broker may wait for data. */
  readonly maxWait: number
  readonly maxBytesPerPartition: number
  readonly isolation: 0 | 1
  /** Told of each answer, and of each request that failed. */
  readonly connection: (error: BridgeError | undefined) => void
  /** The broker slows this client down. */
  readonly throttled: () => void
}

type Kind = 'patient' | 'brief'

export class Fetcher {
  readonly #options: FetcherOptions
  readonly #wanted = new Set<KafkaReader>()
  readonly #busy = new Set<string>()
  #scheduled = false

  constructor(options: FetcherOptions) {
    this.#options = options
  }

  want(reader: KafkaReader): void {
    this.#wanted.add(reader)
    if (this.#scheduled) return
    this.#scheduled = true
    // Partitions that are wanted in the same turn of the event loop share a request.
    setImmediate(() => {
      this.#scheduled = false
      this.#dispatch()
    })
  }

  #dispatch(): void {
    const { cluster } = this.#options
    const leaderOf = ({ at }: KafkaReader): number => cluster.place(at.topic, at.partition)?.leader ?? -1
    for (const [leader, readers] of Map.groupBy(this.#wanted, leaderOf)) {
      const kind = this.#free(leader)
      if (kind === undefined) continue
      for (const reader of readers) this.#wanted.delete(reader)
      const open = readers.filter((reader) => !reader.closed)
      if (open.length === 0) continue
      if (leader < 0) void this.#leaderless(open)
      else void this.#fetch(leader, kind, open)
    }
  }

  #free(leader: number): Kind | undefined {
    if (!this.#busy.has(`patient ${leader}`)) return 'patient'
    return this.#busy.has(`brief ${leader}`) ? undefined : 'brief'
  }

  async #fetch(leader: number, kind: Kind, readers: readonly KafkaReader[]): Promise<void> {
    const { cluster, connection } = this.#options
    const slot = `${kind} ${leader}`
    this.#busy.add(slot)
    try {
      const to = { broker: cluster.broker(leader), lane: kind === 'patient' ? 'fetch' : 'fetch-brief' } as const
      const answer = await cluster.send(to, fetchApi, this.#request(kind, readers))
      if (answer.errorCode !== 0) throw answerError(codeName(answer.errorCode), 'fetching')
      connection(undefined)
      if (answer.throttled > 0) this.#options.throttled()
      // A broker gives what there is room for, and nothing of the others: that says nothing of them.
      const crowded = answer.throttled > 0 || answer.partitions.some(({ batches }) => batches.length > 0)
      const answers = new Map(answer.partitions.map((one) => [`${one.topic}/${one.partition}`, one]))
      for (const reader of readers) {
        const fetched = answers.get(reader.partition)
        if (fetched === undefined) reader.fail(answerError('UNKNOWN_SERVER_ERROR', `fetching ${reader.partition}`))
        else void reader.accept(fetched, crowded)
      }
    } catch (thrown) {
      await this.#failed(translate(thrown, 'fetching'), readers)
    } finally {
      this.#busy.delete(slot)
      if (this.#wanted.size > 0) this.#dispatch()
    }
  }

  /** Their topic is gone, or has no leader for now: nothing is wrong with the connection, and others are read on. */
  async #leaderless(readers: readonly KafkaReader[]): Promise<void> {
    const { cluster } = this.#options
    await cluster.metadata([...new Set(readers.map(({ at }) => at.topic))]).catch(() => undefined)
    for (const reader of readers) {
      const failure = cluster.failure(reader.at.topic) ?? 'LEADER_NOT_AVAILABLE'
      reader.fail(answerError(failure, `reading topic "${reader.at.topic}" partition ${reader.at.partition}`))
    }
  }

  async #failed(error: BridgeError, readers: readonly KafkaReader[]): Promise<void> {
    const { cluster, connection } = this.#options
    // Nobody waits for it any more: a stop closes the connection under its last fetch.
    if (readers.every(({ closed }) => closed)) return
    connection(error)
    // The leader may be another one by now.
    try {
      await cluster.metadata([...new Set(readers.map(({ at }) => at.topic))])
    } catch {
      // The readers are told of the first failure.
    }
    for (const reader of readers) reader.fail(error)
  }

  #request(kind: Kind, readers: readonly KafkaReader[]): FetchRequest {
    const { cluster, maxWait, maxBytesPerPartition: maxBytes, isolation } = this.#options
    return {
      maxWait: kind === 'patient' ? maxWait : Math.min(maxWait, briefWait),
      maxBytes: maxAnswerBytes + readers.reduce((sum, { extraBytes }) => sum + extraBytes, 0),
      isolation,
      partitions: readers.map(({ at, position: offset, extraBytes }) => {
        const leaderEpoch = cluster.place(at.topic, at.partition)?.leaderEpoch ?? -1
        return { ...at, offset, leaderEpoch, maxBytes: maxBytes + extraBytes }
      }),
    }
  }
}
