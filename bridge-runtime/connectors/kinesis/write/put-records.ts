/**
 * Fills PutRecords requests from many writes at once, without ever having two requests with the same key on the way.
 *
 * The service promises no order among the records of one request, and a request may succeed in part. So, in strict mode, a
 * request holds one record per key, and the next of that key goes only after the first is stored. Keys do not wait for
 * each other; writes of different partitions share requests.
 */
import type { PutRecordsRequestEntry } from '@aws-sdk/client-kinesis'
import type { Clock } from '../../../core/clock.ts'
import { heldBack } from '../../../core/delivery/held-back.ts'
import { asBridgeError, type BridgeError } from '../../../core/errors.ts'
import type { EntryFailure } from '../connection.ts'
import { rejected, translateEntry } from '../errors.ts'

export interface SenderOptions {
  put(entries: PutRecordsRequestEntry[]): Promise<readonly EntryFailure[]>
  /** One record per key and request. */
  readonly strict: boolean
  readonly maxRecords: number
  readonly maxBytes: number
  readonly clock: Clock
}

export interface Entry {
  readonly key: string
  readonly data: Uint8Array
  /** Key and data, as the service counts them. */
  readonly bytes: number
  /** Called once. Undefined: stored. */
  done(failure: BridgeError | undefined): void
  /** True when nobody waits for it any more: it is not sent. */
  abandoned(): boolean
}

interface Lane {
  readonly waiting: Entry[]
  sending: boolean
}

/** Requests on the way at the same time. */
const maxRequests = 8
/** Milliseconds for which a request that is not full lingers at most while others are on the way. */
const linger = 100

export class PutRecordsSender {
  readonly #options: SenderOptions
  readonly #lanes = new Map<string, Lane>()
  /** Keys with something to send and nothing on the way, oldest first. */
  readonly #ready = new Set<string>()
  #requests = 0
  #scheduled = false
  #waiting = false

  constructor(options: SenderOptions) {
    this.#options = options
  }

  /** Takes an entry; entries of one key are sent in the order of these calls. */
  add(entry: Entry): void {
    let lane = this.#lanes.get(entry.key)
    if (lane === undefined) {
      lane = { waiting: [], sending: false }
      this.#lanes.set(entry.key, lane)
    }
    lane.waiting.push(entry)
    if (!lane.sending) this.#ready.add(entry.key)
    this.#schedule()
  }

  /** After the present turn, so that writes that begin together share a request. */
  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#pump(false)
    })
  }

  #pump(waited: boolean): void {
    while (this.#ready.size > 0 && this.#requests < maxRequests) {
      if (!waited && !this.#worthwhile()) {
        this.#waitForCompany()
        return
      }
      const entries = this.#load()
      if (entries.length > 0) void this.#send(entries)
    }
  }

  /**
   * A request costs the same for one key as for many. So one goes beside others only when it is full or holds as many keys as
   * they do together: else it waits until one of them is answered, and takes its keys along.
   */
  #worthwhile(): boolean {
    const sending = this.#lanes.size - this.#ready.size
    return this.#ready.size >= Math.min(sending, this.#options.maxRecords)
  }

  #waitForCompany(): void {
    if (this.#waiting) return
    this.#waiting = true
    void this.#options.clock.sleep(linger).then(() => {
      this.#waiting = false
      this.#pump(true)
    })
  }

  #load(): Entry[] {
    const { strict, maxRecords, maxBytes } = this.#options
    const loaded: Entry[] = []
    let bytes = 0
    for (const key of this.#ready) {
      const lane = this.#lanes.get(key)
      if (lane === undefined) continue
      const perKey = strict ? 1 : maxRecords
      let taken = 0
      for (let entry = firstWanted(lane); entry !== undefined && taken < perKey; entry = firstWanted(lane)) {
        if (loaded.length > 0 && (loaded.length >= maxRecords || bytes + entry.bytes > maxBytes)) break
        lane.waiting.shift()
        loaded.push(entry)
        bytes += entry.bytes
        taken += 1
      }
      if (taken === 0 && lane.waiting.length > 0) break
      this.#ready.delete(key)
      lane.sending = taken > 0
      if (taken === 0) this.#lanes.delete(key)
    }
    return loaded
  }

  async #send(entries: Entry[]): Promise<void> {
    this.#requests += 1
    const failures = await this.#outcome(entries)
    this.#requests -= 1
    const failed = new Set<string>()
    entries.forEach((entry, index) => {
      const failure = failures[index]
      if (failure !== undefined) failed.add(entry.key)
      entry.done(failure)
    })
    for (const { key } of entries) this.#settled(key, failed.has(key))
    this.#schedule()
  }

  #settled(key: string, failed: boolean): void {
    const lane = this.#lanes.get(key)
    if (lane === undefined) return
    lane.sending = false
    // What waits behind a failed record is not sent: its writer repeats all of it, in order.
    if (failed) for (const entry of lane.waiting.splice(0)) entry.done(heldBack)
    if (lane.waiting.length > 0) this.#ready.add(key)
    else this.#lanes.delete(key)
  }

  /** One failure per entry. Never rejects. */
  async #outcome(entries: readonly Entry[]): Promise<readonly (BridgeError | undefined)[]> {
    try {
      const results = await this.#options.put(entries.map(({ key, data }) => ({ PartitionKey: key, Data: data })))
      return entries.map((_, index) => {
        const result = results[index]
        return result === undefined ? undefined : translateEntry(result.code, result.message, 'kinesis:PutRecords')
      })
    } catch (thrown) {
      // Also when it is not known whether the request arrived: sent again, never taken for stored.
      const error = asBridgeError(thrown)
      const named = error.reason === 'InvalidRequest' ? namedEntries(error.message) : new Set<number>()
      return entries.map((_, index) => (named.has(index) ? rejected(error.message) : error))
    }
  }
}

/** The first entry that somebody still waits for; the others are dropped. */
function firstWanted(lane: Lane): Entry | undefined {
  while (lane.waiting[0]?.abandoned() === true) lane.waiting.shift()
  return lane.waiting[0]
}

/** A refused request names the records at fault, counted from 1: `Value at 'records.2.member.data' failed to satisfy …`. */
const namedEntries = (message: string): Set<number> =>
  new Set([...message.matchAll(/records\.([0-9]+)\.member/g)].map((match) => Number(match[1]) - 1))
