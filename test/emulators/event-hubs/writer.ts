/** A link on which a client sends events to a hub or to one of its partitions. */
import { batchFormat, creditOf, type Delivery, type Receiver, replyAttach, type Session } from './amqp.ts'
import type { AttachedLink, Client, LinkReport } from './client.ts'
import { condition, errorOf, Refused } from './conditions.ts'
import { batch, type Sent, single } from './event.ts'
import type { Fault, Faults, Scope } from './faults.ts'
import type { Hub } from './hubs.ts'
import { partitionOf } from './partition-key.ts'
import type { PartitionLog } from './partition-log.ts'

/** Messages a client may have under way. The SDKs wait a second at most for the first credit. */
const window = 300

export interface WriterOptions {
  readonly client: Client
  readonly receiver: Receiver
  readonly hub: Hub
  /** Undefined lets the hub choose. */
  readonly partition: string | undefined
  readonly maxMessageSize: number
  readonly faults: Faults
  readonly now: () => number
}

interface Arrived {
  readonly bytes: Buffer
  readonly delivery: Delivery
}

function decode({ bytes, delivery }: Arrived): Sent {
  try {
    return delivery.format === batchFormat ? batch(bytes) : single(bytes)
  } catch (error) {
    throw new Refused(condition.decodeError, `The message is not valid AMQP: ${(error as Error).message}`)
  }
}

export class Writer implements AttachedLink {
  readonly address: string
  readonly session: Session
  readonly scope: Scope
  readonly #options: WriterOptions
  readonly #delayed: Arrived[] = []
  #timer: NodeJS.Timeout | undefined
  #transfers = 0
  #unreturned = 0
  #over = false
  lastActive: number

  constructor(options: WriterOptions) {
    const { receiver, hub, partition, now, client, maxMessageSize, faults } = options
    this.#options = options
    this.address = receiver.target.address
    this.session = receiver.session
    const source = (receiver.source as { address?: string } | null)?.address
    this.scope = { hub: hub.name, partition, name: source }
    this.lastActive = now()
    replyAttach(receiver).max_message_size = maxMessageSize
    receiver.on('message', ({ message, delivery }: { message: Buffer; delivery: Delivery }) => {
      this.#arrived({ bytes: message, delivery })
    })
    receiver.on('receiver_close', () => {
      client.links.delete(this)
      this.ended()
    })
    client.links.add(this)
    const fault = faults.next('attach', this.scope)
    if (fault !== undefined && this.#struck(fault)) return
    if (fault?.do !== 'withholdCredit') receiver.add_credit(window)
  }

  report(): LinkReport {
    return { ...this.scope, kind: 'writer', credit: creditOf(this.#options.receiver), transfers: this.#transfers }
  }

  detach(condition: string, description: string): void {
    this.ended()
    this.#options.client.links.delete(this)
    this.#options.receiver.close(errorOf(condition, description))
  }

  ended(): void {
    this.#over = true
    clearTimeout(this.#timer)
  }

  #arrived(arrived: Arrived): void {
    this.lastActive = this.#options.client.lastActive = this.#options.now()
    this.#transfers += 1
    if (this.#timer !== undefined) this.#delayed.push(arrived)
    else this.#take(arrived, true)
  }

  #take(arrived: Arrived, faulty: boolean): void {
    if (this.#over) return
    try {
      this.#store(arrived, faulty)
    } catch (error) {
      const refused = error instanceof Refused ? error : new Refused(condition.internalError, String(error))
      arrived.delivery.reject(errorOf(refused.condition, refused.message))
      this.#returnCredit()
    }
  }

  #store(arrived: Arrived, faulty: boolean): void {
    const { hub, maxMessageSize, faults, now } = this.#options
    const { length } = arrived.bytes
    if (length > maxMessageSize)
      throw new Refused(
        condition.messageSizeExceeded,
        `The received message (size:${length} bytes) exceeds the limit (${maxMessageSize} bytes) currently allowed on the link.`,
      )
    const sent = decode(arrived)
    const partition = this.#route(sent)
    const log = hub.partitions[partition]
    if (log === undefined)
      throw new Refused(condition.notFound, `Event hub "${hub.name}" has no partition ${partition}.`)
    const fault = faulty ? faults.next('send', { ...this.scope, partition: String(partition) }) : undefined
    if (fault !== undefined && this.#prevented(fault, { arrived, log })) return
    if (!hub.throttle.admits(length, sent.events.length, now()))
      throw new Refused(condition.serverBusy, 'The request was terminated because the entity is being throttled.')
    log.append(sent.events)
    if (fault !== undefined && this.#unanswered(fault)) return
    arrived.delivery.accept()
    this.#returnCredit()
  }

  #route({ partitionKey }: Sent): number {
    const { hub, partition } = this.#options
    if (partition !== undefined) return Number(partition)
    if (partitionKey !== undefined) return partitionOf(partitionKey, hub.partitions.length)
    hub.turn += 1
    return hub.turn % hub.partitions.length
  }

  /** Faults that come before the events are stored. */
  #prevented(fault: Fault, { arrived, log }: { arrived: Arrived; log: PartitionLog }): boolean {
    if (this.#struck(fault)) return true
    if (fault.do === 'reject') throw new Refused(fault.condition, fault.description)
    if (fault.do === 'sequenceJump') log.jump(fault.by)
    if (fault.do !== 'delay') return false
    this.#delayed.unshift(arrived)
    this.#timer = setTimeout(() => this.#resume(), fault.milliseconds)
    return true
  }

  /** Faults that come after: the client cannot know that the events are stored. */
  #unanswered({ do: action }: Fault): boolean {
    if (action === 'appendThenClose') this.#options.client.destroy()
    return action === 'appendThenClose' || action === 'appendThenNoDisposition'
  }

  #struck(fault: Fault): boolean {
    if (fault.do === 'detach') this.detach(fault.condition, fault.description)
    return fault.do === 'detach' || this.#options.client.disturb(fault)
  }

  /** After a delay: the delayed message, then those that queued up behind it, unless one of them is delayed again. */
  #resume(): void {
    this.#timer = undefined
    for (let first = true; this.#delayed.length > 0 && this.#timer === undefined; first = false) {
      const arrived = this.#delayed.shift()
      if (arrived !== undefined) this.#take(arrived, !first)
    }
  }

  #returnCredit(): void {
    this.#unreturned += 1
    if (this.#unreturned < window / 3) return
    this.#options.receiver.add_credit(this.#unreturned)
    this.#unreturned = 0
  }
}
