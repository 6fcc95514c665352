/** Where a partition is read, and what the broker's answers make of it: batches, poison, and what a person should know. */
import { BridgeError } from '../../../core/errors.ts'
import { BrokenLog, type Finding } from './damaged/broken-log.ts'
import { DamagedBatch } from './damaged/damaged-batch.ts'
import { Rechecks } from './damaged/rechecks.ts'
import { answerError, codeName } from '../errors.ts'
import { type FetchedBatch, unreadable } from './fetched.ts'
import type { ReaderOptions } from './reader-options.ts'
import { OldFormatError } from '../protocol/record-batch.ts'
import { type FetchBytes, type Scanned, scan } from './scan.ts'
import { ToldBatches } from './damaged/told-batches.ts'
import { UnreadableBatch } from './damaged/unreadable-batch.ts'
import { UnreadableGap } from './damaged/unreadable-gap.ts'
import type { FetchedPartition } from '../protocol/wire.ts'

export interface CursorHost {
  /** Looks up where the partition ends, as far as it may be read. Rejects with a BridgeError. */
  latest(): Promise<number>
  /** Records are gone, and a person has decided to go on behind them. */
  passed(gap: string): void
}

export interface Answered {
  readonly batches: readonly (FetchedBatch | UnreadableBatch)[]
  readonly error?: BridgeError | undefined
}

/** What a broker says to a fetch when it cannot read its own log; and when it has no word for what went wrong. */
const refusals = new Set(['CORRUPT_MESSAGE', 'INVALID_RECORD'])
const failure = 'UNKNOWN_SERVER_ERROR'
/** Why the log is searched: the broker refuses to read it, fails, gives again and again nothing new, or nothing, or what is not believed. */
type Why = 'refused' | 'failing' | 'stuck' | 'silent' | 'doubtful'

const leastExtra = 64 * 1024
const mostExtra = 16 * 1024 * 1024
const empty: Answered = { batches: [] }

const isEmpty = ({ errorCode, batches }: FetchedPartition): boolean => errorCode === 0 && batches.length === 0

export class Cursor {
  readonly #host: CursorHost
  readonly #options: ReaderOptions
  #position: number
  /** Whether a batch begins at the position. */
  #aligned = false
  #rechecks = new Rechecks()
  #told = new ToldBatches()
  /** See `extraBytes`: more and more, while the answers do not reach what is behind the position. */
  #extra = 0
  #search: { readonly log: BrokenLog; readonly why: Why; best?: FetchedPartition } | undefined

  constructor(host: CursorHost, options: ReaderOptions) {
    this.#host = host
    this.#options = options
    this.#position = options.offset
  }

  /** The offset of the next record. */
  get position(): number {
    return this.#position
  }

  /** The offset of the next fetch. */
  get asks(): number {
    return this.#search?.log.asks ?? this.#position
  }

  /** Bytes to ask for beside what one fetch brings, for what an answer may have in front of the position. */
  get extraBytes(): number {
    return this.#told.bytes + this.#extra
  }

  /** Reads on at another offset, perhaps of another topic. */
  jump(offset: number): void {
    this.#position = offset
    this.#aligned = false
    this.#rechecks = new Rechecks()
    this.#told = new ToldBatches()
    this.#search = undefined
  }

  /** Whether the error of an answer says something of the log, and not of the broker or the topic. */
  knows(errorCode: number): boolean {
    const name = codeName(errorCode)
    return (
      errorCode === 0 ||
      refusals.has(name) ||
      name === failure ||
      (name === 'OFFSET_OUT_OF_RANGE' && this.#search !== undefined)
    )
  }

  /**
   * What an answer brings. Rejects with a BridgeError.
   * @param crowded other partitions, or a quota, left no room in it: then it may be empty for no reason of its own
   */
  async answered(fetched: FetchedPartition, crowded: boolean): Promise<Answered> {
    if (this.#search !== undefined) return this.#searched(fetched, crowded)
    if (fetched.errorCode === 0) return this.#read(fetched, crowded)
    return this.#refused(codeName(fetched.errorCode))
  }

  async #refused(name: string): Promise<Answered> {
    this.#rechecks.again(this.#position)
    if (this.#rechecks.due) return this.#startSearch(refusals.has(name) ? 'refused' : 'failing')
    const what = `reading ${this.#where()}`
    const error = refusals.has(name)
      ? this.#corrupt(`the broker cannot read its own log there (${name})`)
      : answerError(name, what)
    return { batches: [], error: this.#rechecks.told ?? error }
  }

  async #read(fetched: FetchedPartition, crowded: boolean): Promise<Answered> {
    const position = this.#position
    // Once: what still comes alone then is all there is.
    const scanned = this.#scan(fetched, this.#extra === 0 ? { moreTo: this.#readableEnd(fetched) } : {})
    if (this.#doubtful(scanned)) return this.#startSearch('doubtful')
    const taken = await this.#take(scanned)
    if (this.#position > position) this.#extra = 0
    if (taken.error !== undefined || this.#position > position) return taken
    // It ends inside a batch, or behind one, or has only what was told.
    const stuck = fetched.batches.length > 0
    if (stuck) this.#extra = Math.min(Math.max(leastExtra, this.#extra * 2), mostExtra)
    if (crowded) return taken
    this.#rechecks.again(position)
    if (!stuck && position >= this.#readableEnd(fetched)) return taken
    if (this.#rechecks.due) return this.#startSearch(stuck ? 'stuck' : 'silent')
    return { batches: [], error: this.#rechecks.told }
  }

  /** Whether what is before the position must be looked at, once, before an answer is believed. */
  #doubtful({ first, moved }: Scanned): boolean {
    const position = this.#position
    if (this.#rechecks.hasSearched(position)) return false
    // A damaged batch was here, and is left out when it is asked for: its base offset has moved back.
    const leftOut = first !== undefined && first > position && this.#rechecks.hasDamage(position)
    return leftOut || moved
  }

  #readableEnd({ lastStableOffset, highWatermark }: FetchedPartition): number {
    return this.#options.readCommitted && lastStableOffset >= 0 ? lastStableOffset : highWatermark
  }

  #scan({ batches: bytes, aborted, highWatermark }: FetchedPartition, more: Partial<FetchBytes> = {}): Scanned {
    return scan({
      bytes,
      from: this.#position,
      aligned: this.#aligned,
      end: highWatermark < 0 ? Number.POSITIVE_INFINITY : highWatermark,
      told: this.#told,
      aborted,
      maxMemory: this.#options.maxMemory,
      field: this.#options.field,
      ...more,
    })
  }

  async #take({ batches, next, aligned, error }: Scanned): Promise<Answered> {
    this.#position = next
    this.#aligned = aligned
    if (error instanceof OldFormatError) return { batches, error: this.#oldFormat(error) }
    if (error === undefined) return { batches }
    const often = this.#rechecks.again(next)
    if (often && (error.whole || error.resume.aligned)) return { batches: [...batches, this.#setAside(error)] }
    this.#rechecks.sawDamage(next)
    // What cannot be a batch at all: the broker has lost the thread in its log.
    if (this.#rechecks.due) return { ...(await this.#startSearch('stuck')), batches }
    return { batches, error: this.#rechecks.told ?? this.#corrupt(error.message) }
  }

  #setAside({ message, bytes, whole, resume }: DamagedBatch): UnreadableBatch {
    const first = this.#position
    const { offset: next, aligned } = resume
    this.#position = next
    this.#aligned = aligned
    this.#told.add(bytes, { whole, floor: next })
    const poison = unreadable(`the batch is damaged: ${message}`, 'CorruptBatch')
    return new UnreadableBatch({ value: Buffer.from(bytes), first, last: next - 1, next, timestamp: 0, poison })
  }

  async #startSearch(why: Why): Promise<Answered> {
    this.#search = { log: new BrokenLog(this.#position, await this.#host.latest()), why }
    return empty
  }

  async #searched(fetched: FetchedPartition, crowded: boolean): Promise<Answered> {
    const search = this.#search
    if (search === undefined || (crowded && isEmpty(fetched))) return empty
    const { log, why } = search
    const early = log.early ? this.#readEarly(fetched) : undefined
    if (early?.found !== undefined) {
      this.#search = undefined
      return { batches: early.found }
    }
    const first = log.early ? undefined : this.#readableIn(fetched, log.asks)
    if (first !== undefined) search.best = fetched
    const finding = early?.reached === true ? log.behind() : log.answered(first)
    if (finding === undefined) return empty
    this.#search = undefined
    return this.#ends(finding, why, search.best)
  }

  /** Where the first batch begins that an answer has; a damaged one that has its place can be set aside with its bytes. */
  #readableIn(fetched: FetchedPartition, asked: number): number | undefined {
    const { first, error } = this.#scan(fetched, { from: asked, aligned: false })
    return first ?? (error instanceof DamagedBatch && error.whole ? asked : undefined)
  }

  /**
   * Reads an answer that begins before the position: what is damaged in it is set aside now, as it may not come again.
   * `reached`: the position may be in it. `found`: it brings something.
   */
  #readEarly(fetched: FetchedPartition): { readonly reached: boolean; readonly found?: Answered['batches'] } {
    const position = this.#position
    const found: (FetchedBatch | UnreadableBatch)[] = []
    for (;;) {
      const scanned = this.#scan(fetched, { early: true })
      if (scanned.early === 0) return { reached: false }
      this.#position = scanned.next
      this.#aligned = scanned.aligned
      found.push(...scanned.batches)
      const { error } = scanned
      if (error === undefined || error instanceof OldFormatError || !error.whole) break
      found.push(this.#setAside(error))
    }
    return this.#position > position ? { reached: true, found } : { reached: true }
  }

  /** A search ends, and what is before the position has not helped. `best`: the answer that begins where something can be read. */
  async #ends({ offset, end }: Finding, why: Why, best: FetchedPartition | undefined): Promise<Answered> {
    const gone = offset > this.#position
    const error = gone ? this.#explain(offset, end, why) : undefined
    this.#rechecks.searched(error)
    if (error !== undefined) return { batches: [], error }
    const lost = why === 'refused' || (why === 'stuck' && !end)
    if (gone && !lost) return empty
    if (gone) this.#position = offset
    this.#aligned = false
    return best === undefined ? empty : this.#take(this.#scan(best))
  }

  /** What a person should know, and decide; nothing where a person has, or there is nothing to say. */
  #explain(offset: number, end: boolean, why: Why): BridgeError | undefined {
    const { field } = this.#options
    if (why === 'refused' || (why === 'stuck' && !end)) return this.#gap(offset)
    if (why === 'stuck')
      return this.#corrupt(`the answer ends inside the batch: raise ${field}.fetch.maxBytesPerPartition`)
    // A broker that gives nothing and no error may as well be slow to bring what it keeps elsewhere: nothing is left out for it.
    // Where nothing behind can be read either, compaction may have removed the last records: that is no error at all.
    if (why !== 'silent' || end) return undefined
    return this.#corrupt(
      `the broker gives nothing there, and yet has a record at offset ${offset}: look at its log, which may be damaged; to go on without what is between, set the consumer group's offset to ${offset} by hand while the bridge is Paused`,
    )
  }

  /**
   * The broker has lost what was not read yet, as it has where retention ran past the position: a person decides about both in
   * the same way, and there are no bytes for a dead letter.
   */
  #gap(offset: number): BridgeError | undefined {
    const { at, onDataGap } = this.#options
    const detail = `the records from offset ${this.#position} to ${offset - 1} cannot be read, the broker's log is damaged there`
    if (onDataGap === 'Stop') return new UnreadableGap(at, detail, offset)
    this.#host.passed(detail)
    return undefined
  }

  #corrupt(detail: string): BridgeError {
    return new BridgeError(`${this.#where()}: ${detail}`, { kind: 'retryable', reason: 'CorruptBatch' })
  }

  #oldFormat(cause: OldFormatError): BridgeError {
    const message = `${this.#where()}: ${cause.message}: the bridge reads v2 (Kafka 0.11 and newer)`
    return new BridgeError(message, { kind: 'fatal', reason: 'UnsupportedFormat', cause })
  }

  #where(): string {
    const { topic, partition } = this.#options.at
    return `topic "${topic}" partition ${partition} offset ${this.#position}`
  }
}
