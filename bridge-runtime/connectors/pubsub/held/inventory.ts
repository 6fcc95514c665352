/**
 * The messages this replica holds, from their arrival until the service has confirmed that they are settled.
 *
 * When the lease of a message lapses (its deadline passes, it is given back), the service delivers it again, and with it
 * all later ones of its ordering key, those acknowledged already too. So a message may come again at any time:
 * - one that is held stays where it is and is acknowledged by the newest delivery's id: it is never handed on twice at once;
 * - one that was settled lately is acknowledged, not handed on, unless it is replayed on purpose (see repeats.ts);
 * - when a lease lapses, what waits here of the key behind it is forgotten, since it will come again in its order.
 */
import type { PubsubMessage } from '../connection.ts'
import { FairQueue } from './fair-queue.ts'
import { messageBytes } from '../message.ts'
import { type Answered, Repeats } from './repeats.ts'

export interface Delivery {
  readonly ackId: string
  readonly message: PubsubMessage
}

export interface Held {
  readonly id: string
  /** The same whenever the message comes again. */
  readonly identity: string
  /** Empty: no order. */
  readonly key: string
  /** Undefined when it is settled. */
  message: PubsubMessage | undefined
  readonly bytes: number
  ackId: string
  state: 'waiting' | 'handed' | 'settled'
  /** Monotonic milliseconds of the newest delivery. */
  since: number
  /** Monotonic milliseconds until which the service surely waits for us. */
  leasedUntil: number
}

export interface InventoryOptions {
  /** Milliseconds of one lease. */
  readonly lease: number
  /** Milliseconds after which a lease is not extended any more. */
  readonly maxExtension: number
}

export class Inventory {
  readonly #options: InventoryOptions
  readonly #held = new Map<string, Held>()
  readonly #waiting = new FairQueue<Held>()
  readonly #repeats: Repeats
  #bytes = 0
  #replays = 0

  constructor(options: InventoryOptions, now: number) {
    this.#options = options
    this.#repeats = new Repeats(options.lease, now)
  }

  /** Messages delivered and not confirmed as settled. */
  get count(): number {
    return this.#held.size
  }

  /** Bytes of those that are not settled. */
  get bytes(): number {
    return this.#bytes
  }

  /** Times that messages began to come again that the service had no reason of its own to repeat. */
  get replays(): number {
    return this.#replays
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** True when `take` would give something: the keys of what waits may all have enough on their way. */
  get ready(): boolean {
    return this.#waiting.ready
  }

  /**
   * Takes what was delivered, in its order.
   * @returns ids to acknowledge now: their messages are settled already
   */
  received(deliveries: readonly Delivery[], now: number): string[] {
    const settled: string[] = []
    for (const { ackId, message } of deliveries) {
      const identity = identityOf(message)
      const held = this.#held.get(identity)
      if (held !== undefined) {
        held.ackId = ackId
        held.since = now
        held.leasedUntil = now + this.#options.lease
        this.#repeats.broken(held.key, now)
        if (held.state === 'settled') settled.push(ackId)
      } else if (this.#isRepetition(identity, message.orderingKey ?? '', now)) settled.push(ackId)
      else this.#hold(identity, { ackId, message }, now)
    }
    return settled
  }

  #isRepetition(identity: string, key: string, now: number): boolean {
    const verdict = this.#repeats.judge(identity, key, now)
    if (verdict === 'replay') this.#replays += 1
    return verdict === 'repetition'
  }

  /** The next messages for the engine, at least one when `ready`: the keys take turns, each keeps its order. */
  take(maxCount: number, maxBytes: number): Held[] {
    const taken: Held[] = []
    let bytes = 0
    const room = (held: Held): boolean =>
      taken.length < maxCount && (taken.length === 0 || bytes + held.bytes <= maxBytes)
    for (let held = this.#waiting.next(room); held !== undefined; held = this.#waiting.next(room)) {
      held.state = 'handed'
      taken.push(held)
      bytes += held.bytes
    }
    return taken
  }

  /** The sink has it. It stays until the service has confirmed the acknowledgement. */
  settle(held: Held): boolean {
    if (held.state === 'settled' || this.#held.get(held.identity) !== held) return false
    held.state = 'settled'
    held.message = undefined
    this.#bytes -= held.bytes
    this.#waiting.settled(held)
    return true
  }

  /** The service answered the acknowledgement, whatever it says: there is nothing more to do about the message. */
  answered(held: Held, how: Answered['how'], now: number): void {
    if (!this.#held.delete(held.identity)) return
    this.#repeats.settled(held.identity, { at: now, leasedUntil: held.leasedUntil, how })
  }

  /** What must be extended now to be kept: half of the lease is over. */
  expiring(now: number): Held[] {
    const { lease, maxExtension } = this.#options
    const due: Held[] = []
    for (const held of this.#held.values())
      if (held.leasedUntil - now <= lease / 2 && now - held.since < maxExtension) due.push(held)
    return due
  }

  extended(held: Held, until: number): void {
    held.leasedUntil = Math.max(held.leasedUntil, until)
  }

  /**
   * These leases are lost. What waits is forgotten, and so is what waits behind it of its key: it comes again, in order. What
   * is handed on goes on: the sink may have it already.
   */
  lapse(lapsed: readonly Held[], now: number): void {
    if (lapsed.length === 0) return
    const lost = new Set(lapsed)
    const keys = new Set<string>()
    for (const held of lapsed) {
      held.leasedUntil = Math.min(held.leasedUntil, now)
      // All that waits of a key is behind what was handed on of it.
      if (held.state !== 'waiting' && held.key !== '') keys.add(held.key)
    }
    const gone = this.#waiting.remove((held) => {
      if (lost.has(held) && held.key !== '') keys.add(held.key)
      return lost.has(held) || keys.has(held.key)
    })
    for (const held of gone) this.#forget(held)
    for (const key of keys) this.#repeats.broken(key, now)
  }

  /** Those whose lease has run out without a word. */
  lapsed(now: number): Held[] {
    return [...this.#held.values()].filter((held) => held.leasedUntil <= now && held.state !== 'settled')
  }

  /** Forgets everything that is not settled. @returns what is to be given back */
  release(): Held[] {
    const open = [...this.#held.values()].filter(({ state }) => state !== 'settled')
    this.#waiting.remove(() => true)
    for (const held of open) this.#forget(held)
    return open
  }

  #hold(identity: string, { ackId, message }: Delivery, now: number): void {
    const held: Held = {
      id: message.messageId ?? '',
      identity,
      key: message.orderingKey ?? '',
      message,
      bytes: messageBytes(message),
      ackId,
      state: 'waiting',
      since: now,
      leasedUntil: now + this.#options.lease,
    }
    this.#held.set(identity, held)
    this.#waiting.add(held)
    this.#bytes += held.bytes
  }

  #forget(held: Held): void {
    this.#held.delete(held.identity)
    this.#bytes -= held.bytes
  }
}

/** Ids alone would do with the service; an emulator that begins again gives the same ids to other messages. */
function identityOf({ messageId, publishTime }: PubsubMessage): string {
  return `${messageId ?? ''} ${Number(publishTime?.seconds ?? 0)}.${publishTime?.nanos ?? 0}`
}
