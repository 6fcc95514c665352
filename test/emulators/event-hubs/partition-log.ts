/** One partition: its retained events in memory, and in a file if it has a journal. */
import type { EventBytes, Position, StoredEvent } from './event.ts'
import { beyondEnd, type Start, wanted } from './filter.ts'
import type { Entry, Journal } from './journal.ts'

/** The oldest events beyond these, and a tenth more, are dropped. */
export interface Retention {
  readonly events?: number | undefined
  readonly bytes?: number | undefined
}

export interface PartitionLogOptions {
  readonly now: () => number
  readonly retention?: Retention
  readonly journal?: Journal | undefined
}

/**
 * *Guarantees*: sequence numbers and offsets grow, enqueued times never go back; a batch is stored whole and in order, in
 * the journal first; readers of the log are told after that.
 */
export class PartitionLog {
  readonly #now: () => number
  readonly #retention: Retention
  readonly #journal: Journal | undefined
  readonly #listeners = new Set<() => void>()
  #events: StoredEvent[] = []
  #bytes = 0
  #next = 0
  #end = 0
  #last: Position | undefined

  constructor({ now, retention = {}, journal }: PartitionLogOptions) {
    this.#now = now
    this.#retention = retention
    this.#journal = journal
    for (const entry of journal?.entries() ?? []) this.#apply(entry)
  }

  get empty(): boolean {
    return this.#events.length === 0
  }

  /** Of the event that comes next. */
  get nextSequenceNumber(): number {
    return this.#next
  }

  /** Of the oldest event that is retained, or of the one that comes next. */
  get firstSequenceNumber(): number {
    return this.#events[0]?.sequenceNumber ?? this.#next
  }

  /** Of the newest event ever stored. */
  get last(): Position | undefined {
    return this.#last
  }

  get retained(): { readonly events: number; readonly bytes: number } {
    return { events: this.#events.length, bytes: this.#bytes }
  }

  append(events: readonly EventBytes[]): void {
    const enqueuedTime = Math.max(this.#now(), this.#last?.enqueuedTime ?? 0)
    this.#record({ kind: 'append', enqueuedTime, events })
    this.#retain()
    for (const listener of this.#listeners) listener()
  }

  /** Drops the events before the sequence number. */
  trim(before: number): void {
    if (before > this.firstSequenceNumber) this.#record({ kind: 'trim', before })
  }

  /** Leaves a gap in the sequence numbers. */
  jump(by: number): void {
    this.#record({ kind: 'jump', next: this.#next + by })
  }

  /** At most `limit` events from the sequence number on. */
  read(from: number, limit: number): readonly StoredEvent[] {
    const index = this.#indexOf(({ sequenceNumber }) => sequenceNumber >= from)
    return this.#events.slice(index, index + limit)
  }

  /** The sequence number a reader begins at. What is no longer retained is passed over silently, as the service does. */
  startOf(start: Start): number {
    if (start.kind === 'latest') return this.#next
    return this.#events[this.#indexOf((event) => wanted(start, event))]?.sequenceNumber ?? this.#next
  }

  /** See `beyondEnd` of the filter. */
  refusal(start: Start): string | undefined {
    return beyondEnd(start, this.#last)
  }

  /** Calls back after each append, until the returned function is called. */
  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  close(): void {
    this.#journal?.close()
  }

  #record(entry: Entry): void {
    this.#journal?.append(entry)
    this.#apply(entry)
  }

  #apply(entry: Entry): void {
    if (entry.kind === 'append') for (const event of entry.events) this.#add(event, entry.enqueuedTime)
    else if (entry.kind === 'jump') this.#next = entry.next
    else this.#drop(this.#indexOf(({ sequenceNumber }) => sequenceNumber >= entry.before))
  }

  #add({ bytes, partitionKey }: EventBytes, enqueuedTime: number): void {
    const event = { bytes, partitionKey, sequenceNumber: this.#next, offset: this.#end, enqueuedTime }
    this.#events.push(event)
    this.#last = { sequenceNumber: event.sequenceNumber, offset: event.offset, enqueuedTime }
    this.#next += 1
    this.#end += Math.max(bytes.length, 1)
    this.#bytes += bytes.length
  }

  #retain(): void {
    const { events = Infinity, bytes = Infinity } = this.#retention
    // A tenth more is let in, so that dropping is paid for by many appends.
    if (this.#events.length <= events * 1.1 && this.#bytes <= bytes * 1.1) return
    let [count, size] = [0, this.#bytes]
    while (this.#events.length - count > events || size > bytes) {
      size -= this.#events[count]?.bytes.length ?? 0
      count += 1
    }
    this.trim(this.#events[count]?.sequenceNumber ?? this.#next)
  }

  #drop(count: number): void {
    for (const { bytes } of this.#events.slice(0, count)) this.#bytes -= bytes.length
    this.#events = this.#events.slice(count)
  }

  /** Of the first event for which the test holds; it holds for all after it. */
  #indexOf(holds: (event: StoredEvent) => boolean): number {
    let [low, high] = [0, this.#events.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      const event = this.#events[middle]
      if (event !== undefined && holds(event)) high = middle
      else low = middle + 1
    }
    return low
  }
}
