/**
 * A subscription as the service describes it, where Google's emulator does otherwise: the messages of an ordering key go to
 * one stream at a time, and what is delivered again is followed by all later ones of its key, acknowledged or not.
 */
import type { protos } from '@google-cloud/pubsub'

type Message = protos.google.pubsub.v1.IPubsubMessage
type Received = protos.google.pubsub.v1.IReceivedMessage

export interface FakeStream {
  /** A stream that is opened again by the same client takes over what the last one had. */
  readonly client: string
  readonly lease: number
  readonly maxMessages: number
  readonly open: () => boolean
  send(received: Received[]): void
}

interface Entry {
  readonly id: string
  readonly message: Message
  readonly queue: string
  state: 'ready' | 'out' | 'acknowledged'
  ackId: string
  /** Monotonic milliseconds. */
  deadline: number
  stream: FakeStream | undefined
  deliveries: number
}

/** What an exactly-once subscription says of an id; undefined: done. */
export type AckFailure = 'PERMANENT_FAILURE_INVALID_ACK_ID'

export class FakeSubscription {
  readonly #queues = new Map<string, Entry[]>()
  readonly #byAckId = new Map<string, Entry>()
  readonly #streams = new Set<FakeStream>()
  readonly #all: Message[] = []
  /** Deliveries of a message begin to count here: an id given before a seek is none of those given after it. */
  #firstDelivery = 0
  readonly #watch: NodeJS.Timeout
  /** Messages sent to readers, repetitions included. */
  delivered = 0
  acknowledged = 0

  constructor() {
    this.#watch = setInterval(() => {
      this.#expire((entry, now) => entry.deadline <= now)
    }, 100)
    this.#watch.unref()
  }

  /** Messages that are not acknowledged. */
  get backlog(): number {
    let count = 0
    for (const queue of this.#queues.values()) for (const { state } of queue) if (state !== 'acknowledged') count += 1
    return count
  }

  add(message: Message): void {
    this.#all.push(message)
    this.#queue(message)
  }

  /** A seek to before the first message: everything comes again. */
  rewind(): void {
    this.#queues.clear()
    this.#byAckId.clear()
    this.#firstDelivery += 1_000
    for (const message of this.#all) this.#queue(message)
    this.deliver()
  }

  #queue(message: Message): void {
    const id = message.messageId ?? ''
    const key = message.orderingKey ?? ''
    const queue = key === '' ? `id ${id}` : `key ${key}`
    const entry: Entry = {
      id,
      message,
      queue,
      state: 'ready',
      ackId: '',
      deadline: 0,
      stream: undefined,
      deliveries: this.#firstDelivery,
    }
    const entries = this.#queues.get(queue)
    if (entries === undefined) this.#queues.set(queue, [entry])
    else entries.push(entry)
  }

  attach(stream: FakeStream): void {
    this.#streams.add(stream)
    for (const entry of this.#byAckId.values())
      if (entry.stream?.client === stream.client && !entry.stream.open()) entry.stream = stream
    this.deliver()
  }

  /** What it has stays its own until its lease is over. */
  detach(stream: FakeStream): void {
    this.#streams.delete(stream)
  }

  /** As if the leases of readers that are gone were over. */
  expireOrphans(): void {
    this.#expire(({ stream }) => stream?.open() === false)
  }

  /** As if every lease were over. */
  expireAll(): void {
    this.#expire(() => true)
  }

  acknowledge(ackId: string): AckFailure | undefined {
    const entry = this.#current(ackId)
    if (entry === undefined) return 'PERMANENT_FAILURE_INVALID_ACK_ID'
    entry.state = 'acknowledged'
    this.acknowledged += 1
    const queue = this.#queues.get(entry.queue)
    while (queue?.[0]?.state === 'acknowledged') {
      const [gone] = queue.splice(0, 1)
      if (gone !== undefined) this.#byAckId.delete(gone.ackId)
    }
    if (queue?.length === 0) this.#queues.delete(entry.queue)
    return undefined
  }

  extend(ackId: string, seconds: number): AckFailure | undefined {
    const entry = this.#current(ackId)
    if (entry === undefined) return 'PERMANENT_FAILURE_INVALID_ACK_ID'
    if (seconds === 0) this.#again(entry)
    else entry.deadline = performance.now() + seconds * 1000
    return undefined
  }

  deliver(): void {
    const sending = new Map<FakeStream, Entry[]>()
    const room = new Map([...this.#streams].map((stream) => [stream, this.#room(stream)]))
    for (const queue of this.#queues.values()) this.#deliverQueue(queue, room, sending)
    for (const [stream, entries] of sending)
      for (let from = 0; from < entries.length; from += 100)
        stream.send(
          entries.slice(from, from + 100).map(({ ackId, message, deliveries }) => ({
            ackId,
            message,
            deliveryAttempt: deliveries - this.#firstDelivery,
          })),
        )
  }

  close(): void {
    clearInterval(this.#watch)
  }

  #deliverQueue(queue: Entry[], room: Map<FakeStream, number>, sending: Map<FakeStream, Entry[]>): void {
    const owner = queue.find(({ state }) => state === 'out')?.stream
    const stream = owner ?? [...room].sort(([, a], [, b]) => b - a)[0]?.[0]
    if (stream === undefined) return
    for (const entry of queue) {
      if (entry.state !== 'ready') continue
      const free = room.get(stream) ?? 0
      if (free <= 0) return
      room.set(stream, free - 1)
      entry.state = 'out'
      entry.stream = stream
      entry.deliveries += 1
      entry.ackId = `${entry.id}/${entry.deliveries}`
      entry.deadline = performance.now() + stream.lease
      this.#byAckId.set(entry.ackId, entry)
      this.delivered += 1
      const entries = sending.get(stream)
      if (entries === undefined) sending.set(stream, [entry])
      else entries.push(entry)
    }
  }

  #room(stream: FakeStream): number {
    let held = 0
    for (const { state, stream: of } of this.#byAckId.values()) if (state === 'out' && of === stream) held += 1
    return stream.maxMessages - held
  }

  #current(ackId: string): Entry | undefined {
    const entry = this.#byAckId.get(ackId)
    return entry?.ackId === ackId && entry.state === 'out' ? entry : undefined
  }

  #expire(over: (entry: Entry, now: number) => boolean): void {
    const now = performance.now()
    const expired = [...this.#byAckId.values()].filter((entry) => entry.state === 'out' && over(entry, now))
    for (const entry of expired) this.#again(entry)
    if (expired.length > 0) this.deliver()
  }

  /** It comes again, and with it everything behind it of its key. */
  #again(entry: Entry): void {
    const queue = this.#queues.get(entry.queue) ?? []
    for (const later of queue.slice(queue.indexOf(entry))) {
      this.#byAckId.delete(later.ackId)
      later.state = 'ready'
      later.stream = undefined
    }
  }
}
