/** Asks a node of the service, such as `$management`, and matches the answers. */
import { randomUUID } from 'node:crypto'
import type { EventContext, Message, Sender } from 'rhea'
import { type AmqpConnection, onLinkEnd } from './connection.ts'
import { AmqpFailure } from '../errors.ts'

interface Waiting {
  resolve(answer: Message): void
  reject(error: Error): void
}

/** What a status means when the answer names no condition. */
const conditions: Readonly<Record<number, string>> = {
  400: 'com.microsoft:argument-error',
  401: 'amqp:unauthorized-access',
  403: 'amqp:unauthorized-access',
  404: 'amqp:not-found',
  408: 'com.microsoft:timeout',
  503: 'com.microsoft:server-busy',
  504: 'com.microsoft:timeout',
}

/** The nodes of a connection that were asked something, each over one link. */
export class Requests {
  readonly #connection: AmqpConnection
  readonly #links = new Map<string, Promise<RequestLink>>()

  constructor(connection: AmqpConnection) {
    this.#connection = connection
  }

  /** Asks `$cbs` or `$management`. Rejects with AmqpFailure when the answer is an error. */
  async ask(address: string, message: Message, signal?: AbortSignal): Promise<Message> {
    let link = this.#links.get(address)
    if (link === undefined) {
      link = RequestLink.open(this.#connection, address)
      this.#links.set(address, link)
      const forget = (): void => void this.#links.delete(address)
      link.then(({ ended }) => ended.addEventListener('abort', forget, { once: true }), forget)
    }
    return await (await link).ask(message, signal)
  }
}

class RequestLink {
  readonly #connection: AmqpConnection
  readonly #address: string
  readonly #replyTo = randomUUID()
  readonly #waiting = new Map<string, Waiting>()
  readonly #end = new AbortController()
  #sender: Sender | undefined

  private constructor(connection: AmqpConnection, address: string) {
    this.#connection = connection
    this.#address = address
  }

  static async open(connection: AmqpConnection, address: string): Promise<RequestLink> {
    const link = new RequestLink(connection, address)
    await link.#attach()
    return link
  }

  get ended(): AbortSignal {
    return this.#end.signal
  }

  async #attach(): Promise<void> {
    const session = this.#connection.session()
    const sender = session.open_sender({ target: { address: this.#address } })
    // The service finds the way back by the name of the link for tokens, by its target for the rest.
    const target = this.#address === '$cbs' ? {} : { target: { address: this.#replyTo } }
    const receiver = session.open_receiver({ name: this.#replyTo, source: { address: this.#address }, ...target })
    receiver.on('message', ({ message }: EventContext) => this.#answered(message))
    const ended = (error: Error): void => this.#ended(error)
    onLinkEnd(sender, session, ended)
    onLinkEnd(receiver, session, ended)
    this.#sender = sender
    let open = 0
    await this.#connection.wait<void>(`attaching to ${this.#address}`, (resolve, reject) => {
      this.ended.addEventListener('abort', () => reject(this.ended.reason as Error), { once: true })
      receiver.once('receiver_open', () => ++open === 2 && resolve())
      sender.once('sendable', () => ++open === 2 && resolve())
    })
  }

  ask(message: Message, signal?: AbortSignal): Promise<Message> {
    const id = randomUUID()
    const asked = this.#connection.wait<Message>(
      this.#address,
      (resolve, reject) => {
        if (this.ended.aborted) return reject(this.ended.reason as Error)
        this.#waiting.set(id, { resolve, reject })
        this.#sender?.send({ ...message, message_id: id, reply_to: this.#replyTo })
      },
      signal,
    )
    return asked.finally(() => this.#waiting.delete(id))
  }

  #answered(answer: Message | undefined): void {
    const waiting = this.#waiting.get(String(answer?.correlation_id))
    if (answer === undefined || waiting === undefined) return
    const properties = (answer.application_properties ?? {}) as Readonly<Record<string, unknown>>
    const status = Number(properties['status-code'])
    if (status >= 200 && status < 300) return waiting.resolve(answer)
    const said = (name: string): string => (typeof properties[name] === 'string' ? properties[name] : '')
    const condition = said('error-condition') || (conditions[status] ?? 'amqp:internal-error')
    waiting.reject(new AmqpFailure(condition, `${said('status-description')} (${status})`))
  }

  #ended(error: Error): void {
    if (this.ended.aborted) return
    this.#end.abort(error)
    for (const waiting of this.#waiting.values()) waiting.reject(error)
    this.#waiting.clear()
  }
}
