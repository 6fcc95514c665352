/** Links that carry events, over a connection. */
import type { AmqpError, EventContext, ReceiverOptions, Sender, Session } from 'rhea'
import { type AmqpConnection, closeLink, failureOf, onLinkEnd } from './connection.ts'
import { AmqpFailure, ConnectionLost } from '../errors.ts'

/** The service's message format for many events in one message. */
const batchFormat = 0x8001_3700
/** Any format that the library does not know. */
const rawFormat = 1
/** Bytes, where the service does not say. */
const defaultMaxMessageSize = 1_048_576

export interface ReceiverHandlers {
  /** A message as it came, encoded. */
  message(encoded: Buffer): void
  /** Called once, unless the link was closed by us. */
  ended(error: Error): void
}

export interface ReceiverLink {
  /** Messages that were asked for and did not come yet. */
  readonly credit: number
  addCredit(messages: number): void
  close(): void
}

export interface SenderLink {
  /** Bytes. */
  readonly maxMessageSize: number
  readonly open: boolean
  /** Sends a batch. Resolves when it is stored; any rejection but AmqpFailure leaves it open whether it is. */
  send(payload: Buffer): Promise<void>
  close(): void
}

/** A link that receives; it gives no credit by itself. Resolves when it is attached: a refusal may follow as its end. */
export async function openReceiver(
  connection: AmqpConnection,
  options: ReceiverOptions,
  handlers: ReceiverHandlers,
  signal?: AbortSignal,
): Promise<ReceiverLink> {
  const session = connection.session()
  const receiver = session.open_receiver({ credit_window: 0, autoaccept: true, ...options })
  let over = false
  const end = (): void => {
    over = true
    connection.ended.removeEventListener('abort', lost)
  }
  const ended = (error: Error): void => {
    if (over) return
    end()
    handlers.ended(error)
  }
  const lost = (): void => ended(connection.ended.reason as Error)
  const close = (): void => {
    end()
    closeLink(receiver, session)
  }
  undecoded(session)
  receiver.on('message', ({ message }: { readonly message: unknown }) => {
    if (!over && Buffer.isBuffer(message)) handlers.message(message)
  })
  connection.ended.addEventListener('abort', lost, { once: true })
  onLinkEnd(receiver, session, ended)
  try {
    await connection.wait<void>('attaching', (resolve) => receiver.once('receiver_open', () => resolve()), signal)
  } catch (thrown) {
    end()
    // Detached once it is attached: peers end the connection when the one comes before the other.
    receiver.once('receiver_open', () => closeLink(receiver, session))
    throw thrown
  }
  return {
    get credit() {
      return (receiver as unknown as { readonly credit: number }).credit
    },
    addCredit: (messages) => receiver.add_credit(messages),
    close,
  }
}

/** Has the library hand messages over as they came: it decodes those of format 0, which is an event's. */
function undecoded(session: Session): void {
  const { incoming } = session as unknown as {
    readonly incoming: { on_transfer(frame: { performative: { message_format: number } }, receiver: unknown): void }
  }
  const onTransfer = incoming.on_transfer.bind(incoming)
  incoming.on_transfer = (frame, receiver) => {
    if (frame.performative.message_format === 0) frame.performative.message_format = rawFormat
    onTransfer(frame, receiver)
  }
}

/** A link that sends batches, attached and allowed to send. @param name of this producer, for the service's own records */
export async function openSender(connection: AmqpConnection, address: string, name: string): Promise<SenderLink> {
  const session = connection.session()
  const sender = session.open_sender({ source: name, target: { address } })
  const link = new BatchSender(connection, session, sender)
  try {
    await link.sendable('attaching')
  } catch (thrown) {
    link.close()
    throw thrown
  }
  return link
}

interface Sending {
  resolve(): void
  reject(error: Error): void
}

/** One batch on its way at a time. */
class BatchSender implements SenderLink {
  readonly #connection: AmqpConnection
  readonly #session: Session
  readonly #sender: Sender
  #failure: Error | undefined
  #sending: Sending | undefined
  #unsendable: ((error: Error) => void) | undefined

  constructor(connection: AmqpConnection, session: Session, sender: Sender) {
    this.#connection = connection
    this.#session = session
    this.#sender = sender
    onLinkEnd(sender, session, (error) => {
      this.#failure ??= error
      this.#unsendable?.(error)
      // Not known whether it was stored: an AmqpFailure would say that it was not.
      this.#settled()?.reject(new ConnectionLost(error.message))
    })
    sender.on('accepted', () => this.#settled()?.resolve())
    sender.on('released', () => this.#settled()?.reject(new AmqpFailure('amqp:internal-error', 'it was not taken')))
    sender.on('rejected', ({ delivery }: EventContext) => {
      const state = delivery?.remote_state as { readonly error?: AmqpError } | undefined
      this.#settled()?.reject(failureOf(state?.error, 'the link'))
    })
  }

  get maxMessageSize(): number {
    const told: number | null | undefined = this.#sender.max_message_size
    return (told ?? 0) > 0 ? (told ?? 0) : defaultMaxMessageSize
  }

  get open(): boolean {
    return this.#failure === undefined && !this.#connection.ended.aborted
  }

  async send(payload: Buffer): Promise<void> {
    if (!this.#sender.sendable()) await this.sendable('waiting to send')
    try {
      await this.#connection.wait<void>('sending', (resolve, reject) => {
        this.#sending = { resolve, reject }
        this.#sender.send(payload, undefined, batchFormat)
      })
    } catch (thrown) {
      // It might still be sent when the peer makes room, behind what is sent again by then.
      if (this.#settled() !== undefined) this.#connection.destroy(thrown)
      throw thrown
    }
  }

  /** Waits until the peer takes a message. */
  sendable(what: string): Promise<void> {
    return this.#connection.wait<void>(what, (resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure)
      if (this.#sender.sendable()) return resolve()
      this.#sender.once('sendable', () => resolve())
      this.#unsendable = reject
    })
  }

  close(): void {
    this.#failure ??= new ConnectionLost('the link was closed')
    closeLink(this.#sender, this.#session)
  }

  #settled(): Sending | undefined {
    const sending = this.#sending
    this.#sending = undefined
    return sending
  }
}
