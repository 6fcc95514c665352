/** A link on which a client receives the events of one partition, each reader from its own place. */
import { creditOf, flush, prepareSender, revokeCredit, roomOf, type Sender, type Session } from './amqp.ts'
import type { AttachedLink, Client, LinkReport } from './client.ts'
import { errorOf } from './conditions.ts'
import { delivered, type StoredEvent } from './event.ts'
import type { Fault, Faults, Scope } from './faults.ts'
import type { AttachedReader, Hub } from './hubs.ts'
import type { PartitionLog } from './partition-log.ts'

/** Events sent in one go, so that links take turns. */
const portion = 256
/** Bytes that may wait for a client that does not read. */
const highWater = 8 * 1024 * 1024

export interface ReaderOptions {
  readonly client: Client
  readonly sender: Sender
  readonly hub: Hub
  readonly group: string
  readonly partition: string
  readonly log: PartitionLog
  readonly reader: string
  readonly epoch: number | undefined
  /** Sequence number to begin at. */
  readonly start: number
  /** Tells the partition's end with each event. */
  readonly metric: boolean
  readonly faults: Faults
  readonly now: () => number
}

export class Reader implements AttachedLink, AttachedReader {
  readonly address: string
  readonly session: Session
  readonly scope: Scope
  readonly reader: string
  readonly epoch: number | undefined
  readonly #options: ReaderOptions
  readonly #key: string
  readonly #forget: () => void
  #next: number
  #transfers = 0
  #scheduled = false
  #stalled = false
  #over = false
  #draining = false
  lastActive: number

  constructor(options: ReaderOptions) {
    const { sender, hub, group, partition, log, client, faults } = options
    this.#options = options
    this.address = sender.source.address
    this.session = sender.session
    this.reader = options.reader
    this.epoch = options.epoch
    this.scope = { hub: hub.name, partition, consumerGroup: group, name: options.reader }
    this.#key = `${group}/${partition}`
    this.#next = options.start
    this.lastActive = options.now()
    prepareSender(sender)
    client.links.add(this)
    hub.readers.set(this.#key, [...(hub.readers.get(this.#key) ?? []), this])
    this.#forget = log.onAppend(() => this.#schedule())
    sender.on('sender_flow', () => this.#schedule())
    sender.on('sendable', () => this.#schedule())
    sender.on('sender_draining', () => {
      this.#draining = true
      this.#schedule()
    })
    sender.on('sender_close', () => {
      client.links.delete(this)
      this.ended()
    })
    const fault = faults.next('attach', this.scope)
    if (fault !== undefined) this.#struck(fault)
  }

  report(): LinkReport {
    return {
      ...this.scope,
      kind: 'reader',
      credit: creditOf(this.#options.sender),
      transfers: this.#transfers,
      epoch: this.epoch,
      next: this.#next,
    }
  }

  /** No event leaves on this link after the call. */
  detach(condition: string, description: string): void {
    this.ended()
    const { client, sender } = this.#options
    client.links.delete(this)
    revokeCredit(sender)
    sender.close(errorOf(condition, description))
  }

  ended(): void {
    if (this.#over) return
    this.#over = true
    this.#forget()
    const { readers } = this.#options.hub
    const others = (readers.get(this.#key) ?? []).filter((reader) => reader !== this)
    if (others.length > 0) readers.set(this.#key, others)
    else readers.delete(this.#key)
  }

  /** Once per turn of the event loop: until then the library's figures of credit are stale. */
  #schedule(): void {
    if (this.#scheduled || this.#over || this.#stalled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      if (!this.#over && !this.#stalled) this.#send()
    })
  }

  #later(milliseconds: number): void {
    setTimeout(() => this.#schedule(), milliseconds).unref()
  }

  #send(): void {
    const { client, sender, log, hub, now } = this.#options
    if (client.unsent > highWater) return client.onceDrained(() => this.#schedule())
    const wait = hub.throttle.egressWait(now())
    if (wait > 0) return this.#later(wait)
    const room = Math.min(roomOf(sender), portion)
    const events = room > 0 ? log.read(this.#next, room) : []
    if (events.length > 0) client.together(() => void events.every((event) => this.#deliver(event)))
    if (room > 0 && events.length === room) this.#schedule()
    else if (this.#draining && events.length < room) this.#drained()
  }

  /** False ends the round. */
  #deliver(event: StoredEvent): boolean {
    const { faults, sender, log, metric, now, hub, client } = this.#options
    const fault = faults.next('deliver', this.scope)
    if (fault !== undefined && !this.#survived(fault)) return false
    const last = metric ? log.last : undefined
    const bytes = delivered(event, last === undefined ? undefined : { last, now: now() })
    sender.send(bytes, undefined, 0)
    if (fault?.do === 'duplicate' && roomOf(sender) > 0) sender.send(bytes, undefined, 0)
    hub.throttle.egress(bytes.length, now())
    this.#next = event.sequenceNumber + 1
    this.#transfers += 1
    this.lastActive = client.lastActive = now()
    return hub.throttle.egressWait(now()) === 0
  }

  #survived(fault: Fault): boolean {
    if (this.#struck(fault)) return false
    if (fault.do === 'stall') this.#stalled = true
    if (fault.do === 'delay') {
      this.#stalled = true
      setTimeout(() => {
        this.#stalled = false
        this.#schedule()
      }, fault.milliseconds).unref()
    }
    return !this.#stalled
  }

  #struck(fault: Fault): boolean {
    if (fault.do === 'detach') this.detach(fault.condition, fault.description)
    return fault.do === 'detach' || this.#options.client.disturb(fault)
  }

  /** Uses up the credit there is nothing for. */
  #drained(): void {
    this.#draining = false
    this.#options.sender.set_drained(true)
    flush(this.#options.client.connection)
  }
}
