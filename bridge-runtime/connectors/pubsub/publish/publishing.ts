/**
 * Fills publish requests from many writes at once. All messages of a request have the same ordering key, and of a key there
 * is never more than one request on the way, so that a failure leaves a gap behind which nothing is stored. A request is
 * stored as a whole or not at all.
 */
import { heldBack } from '../../../core/delivery/held-back.ts'
import { asBridgeError, BridgeError } from '../../../core/errors.ts'
import type { PubsubMessage } from '../connection.ts'

export interface PublishingOptions {
  publish(messages: PubsubMessage[]): Promise<unknown>
  readonly maxMessages: number
  readonly maxBytes: number
  readonly maxRequests: number
}

/** The messages of one write with one ordering key, in order. */
export interface KeyBatch {
  /** Empty: no order. */
  readonly key: string
  readonly messages: readonly PubsubMessage[]
  /** Bytes of each. */
  readonly sizes: readonly number[]
  /** Called once for each message. Undefined: stored. */
  done(from: number, to: number, failure: BridgeError | undefined): void
  /** True when nobody waits for it any more: it is not sent. */
  abandoned(): boolean
}

/** Messages `from` up to, not including, `to` of a batch. */
interface Part {
  readonly batch: KeyBatch
  readonly from: number
  readonly to: number
}

interface Lane {
  readonly waiting: Part[]
  sending: number
  /** Messages to send one by one, to find the one that the service refuses. */
  alone: number
}

export class Publishing {
  readonly #options: PublishingOptions
  readonly #lanes = new Map<string, Lane>()
  /** Keys with something to send that may be sent now, oldest first. */
  readonly #ready = new Set<string>()
  #requests = 0
  #scheduled = false

  constructor(options: PublishingOptions) {
    this.#options = options
  }

  /** Takes a batch; those of one key are sent in the order of these calls. */
  add(batch: KeyBatch): void {
    let lane = this.#lanes.get(batch.key)
    if (lane === undefined) {
      lane = { waiting: [], sending: 0, alone: 0 }
      this.#lanes.set(batch.key, lane)
    }
    lane.waiting.push({ batch, from: 0, to: batch.messages.length })
    if (mayStart(batch.key, lane)) this.#ready.add(batch.key)
    this.#schedule()
  }

  /** After the present turn, so that writes that begin together share a request. */
  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#pump()
    })
  }

  #pump(): void {
    for (const key of this.#ready) {
      if (this.#requests >= this.#options.maxRequests) return
      this.#ready.delete(key)
      const lane = this.#lanes.get(key)
      if (lane === undefined) continue
      const parts = this.#load(lane)
      if (parts.length > 0) void this.#send(key, lane, parts)
      this.#settled(key, lane)
    }
  }

  #load(lane: Lane): Part[] {
    const { maxBytes } = this.#options
    const maxMessages = lane.alone > 0 ? 1 : this.#options.maxMessages
    const loaded: Part[] = []
    let count = 0
    let bytes = 0
    for (let part = lane.waiting.shift(); part !== undefined; part = lane.waiting.shift()) {
      if (part.batch.abandoned()) continue
      const { batch, from } = part
      let to = from
      for (; to < part.to && count < maxMessages; to += 1) {
        const size = batch.sizes[to] ?? 0
        if (count > 0 && bytes + size > maxBytes) break
        count += 1
        bytes += size
      }
      if (to > from) loaded.push({ batch, from, to })
      if (to === part.to) continue
      lane.waiting.unshift({ batch, from: to, to: part.to })
      break
    }
    return loaded
  }

  async #send(key: string, lane: Lane, parts: readonly Part[]): Promise<void> {
    this.#requests += 1
    lane.sending += 1
    const messages = parts.flatMap(({ batch, from, to }) => batch.messages.slice(from, to))
    const failure = await this.#outcome(messages)
    this.#requests -= 1
    lane.sending -= 1
    if (failure?.reason === 'InvalidRequest' && messages.length > 1) {
      lane.waiting.unshift(...parts)
      lane.alone += messages.length
    } else {
      lane.alone = Math.max(0, lane.alone - messages.length)
      this.#finish(key, lane, parts, failure === undefined ? undefined : blamed(failure))
    }
    this.#settled(key, lane)
    this.#schedule()
  }

  #finish(key: string, lane: Lane, parts: readonly Part[], failure: BridgeError | undefined): void {
    for (const { batch, from, to } of parts) batch.done(from, to, failure)
    if (failure === undefined || key === '') return
    // What waits behind a failed message is not sent: its writer repeats all of it, in order.
    lane.alone = 0
    for (const { batch, from, to } of lane.waiting.splice(0)) batch.done(from, to, heldBack)
  }

  #settled(key: string, lane: Lane): void {
    if (lane.waiting.length > 0) {
      if (mayStart(key, lane)) this.#ready.add(key)
    } else if (lane.sending === 0 && this.#lanes.get(key) === lane) this.#lanes.delete(key)
  }

  /** Undefined: stored. Never rejects. */
  async #outcome(messages: PubsubMessage[]): Promise<BridgeError | undefined> {
    try {
      await this.#options.publish(messages)
      return undefined
    } catch (thrown) {
      // Also when it is not known whether the request arrived: sent again, never taken for stored.
      return asBridgeError(thrown)
    }
  }
}

/** Without a key there is no order to keep. */
const mayStart = (key: string, { sending }: Lane): boolean => key === '' || sending === 0

/** The only thing about a request for one message that the service can find invalid is the message. */
const blamed = (failure: BridgeError): BridgeError =>
  failure.reason === 'InvalidRequest'
    ? new BridgeError(failure.message, { kind: 'poison', reason: 'RecordRejected', cause: failure })
    : failure
