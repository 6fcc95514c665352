/**
 * Sends events to one partition, one batch at a time. Writes of different lanes and source partitions share batches; the
 * next is filled while one is on its way. A batch is stored as a whole, in order, or not at all.
 */
import { heldBack } from '../../../core/delivery/held-back.ts'
import { asBridgeError, BridgeError } from '../../../core/errors.ts'
import type { SenderLink } from '../amqp/links.ts'
import { batchOverhead } from '../amqp/encoding.ts'
import { AmqpFailure } from '../errors.ts'

export interface Entry {
  /** The partition key; entries of one key are sent in order. Undefined: any order will do. */
  readonly key: string | undefined
  readonly bytes: Buffer
  /** Called once. Undefined: stored. */
  done(failure: BridgeError | undefined): void
  /** True when nobody waits for it any more: it is not sent. */
  abandoned(): boolean
}

export interface BatchesOptions {
  attach(): Promise<SenderLink>
  /** Makes a BridgeError of what a link said. */
  translated(thrown: unknown): BridgeError
  readonly maxRecords: number
  readonly maxBytes: number
}

export class Batches {
  readonly #options: BatchesOptions
  #waiting: Entry[] = []
  #link: SenderLink | undefined
  #maxBytes: number
  #sending = false

  constructor(options: BatchesOptions) {
    this.#options = options
    this.#maxBytes = options.maxBytes
  }

  add(entry: Entry): void {
    this.#waiting.push(entry)
    if (this.#sending) return
    this.#sending = true
    // After the present turn, so that writes that begin together share a batch.
    setImmediate(() => void this.#sendAll())
  }

  /** Attaches, if it is not attached. @returns the most bytes one batch may have */
  async open(): Promise<number> {
    if (this.#link?.open !== true) this.#link = await this.#options.attach()
    this.#maxBytes = Math.min(this.#options.maxBytes, this.#link.maxMessageSize)
    return this.#maxBytes
  }

  close(): void {
    this.#link?.close()
    this.#link = undefined
  }

  async #sendAll(): Promise<void> {
    for (let entries = this.#load(); entries.length > 0; entries = this.#load()) {
      const failure = await this.#send(entries)
      for (const entry of entries) entry.done(failure)
      if (failure !== undefined) this.#holdBack(entries)
    }
    this.#sending = false
  }

  #load(): Entry[] {
    const loaded: Entry[] = []
    let bytes = batchOverhead
    let taken = 0
    for (const entry of this.#waiting) {
      if (!entry.abandoned()) {
        bytes += entry.bytes.length
        if (loaded.length > 0 && (loaded.length >= this.#options.maxRecords || bytes > this.#maxBytes)) break
        loaded.push(entry)
      }
      taken += 1
    }
    this.#waiting = this.#waiting.slice(taken)
    return loaded
  }

  /** Undefined when it is stored. Never rejects. Whatever is in doubt is a failure: it is sent again. */
  async #send(entries: readonly Entry[]): Promise<BridgeError | undefined> {
    try {
      await this.open()
      await this.#link?.send(Buffer.concat(entries.map(({ bytes }) => bytes)))
      return undefined
    } catch (thrown) {
      const error = asBridgeError(this.#options.translated(thrown))
      if (!(thrown instanceof AmqpFailure) || thrown.condition !== 'amqp:link:message-size-exceeded') return error
      if (entries.length > 1) {
        this.#maxBytes = Math.floor(this.#maxBytes / 2)
        return error
      }
      return new BridgeError(error.message, { kind: 'poison', reason: 'RecordTooLarge' })
    }
  }

  /** What waits behind a failed entry of its key is not sent: its writer repeats all of it, in order. */
  #holdBack(failed: readonly Entry[]): void {
    const keys = new Set(failed.map(({ key }) => key))
    keys.delete(undefined)
    const held = this.#waiting.filter(({ key }) => key !== undefined && keys.has(key))
    this.#waiting = this.#waiting.filter(({ key }) => key === undefined || !keys.has(key))
    for (const entry of held) entry.done(heldBack)
  }
}
