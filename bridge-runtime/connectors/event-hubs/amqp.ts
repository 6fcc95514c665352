/** One AMQP 1.0 connection: its links, requests with answers, and an end that always comes. */
import { type Socket } from 'node:net'
import rhea, {
  type AmqpError,
  type Connection,
  type EventContext,
  type Message,
  type Receiver,
  type ReceiverOptions,
  type Sender,
  type Session,
} from 'rhea'
import type { Clock } from '../../core/clock.ts'
import { AmqpFailure, ConnectionLost } from './errors.ts'
import { RequestLink } from './request-link.ts'

export interface Peer {
  readonly host: string
  readonly port: number
  readonly tls: boolean
  readonly keyName: string
}

/** Milliseconds the service has to answer anything. */
export const answerTimeout = 10_000
const closeTimeout = 2_000
/** Milliseconds; what the service expects of its clients. Shorter silences are noticed by requests. */
const idleTimeout = 60_000
/** The service's message format for many events in one message. */
const batchFormat = 0x8001_3700

/** Why a link or a session ended, in the peer's words. */
export const failureOf = (error: AmqpError | Error | undefined, what: string): Error => {
  if (error instanceof Error) return error
  if (error?.condition === undefined) return new AmqpFailure('amqp:link:detach-forced', `${what} was closed`)
  return new AmqpFailure(error.condition, error.description ?? error.condition)
}

export interface ReceiverHandlers {
  message(message: Message): void
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

export class AmqpConnection {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #end = new AbortController()
  readonly #requests = new Map<string, Promise<RequestLink>>()
  #heard: number

  private constructor(connection: Connection, clock: Clock) {
    this.#connection = connection
    this.#clock = clock
    this.#heard = clock.monotonic()
    const { socket } = connection as unknown as { readonly socket: Socket }
    socket.setNoDelay(true)
    socket.on('data', () => {
      this.#heard = clock.monotonic()
    })
    socket.on('close', () => this.destroy(new ConnectionLost('the connection was closed')))
    for (const event of ['connection_error', 'connection_close', 'protocol_error', 'error', 'disconnected'])
      connection.on(event, (context: EventContext | Error) => this.destroy(endOf(context, connection)))
  }

  /** Connects, or rejects within the time the service has for an answer. */
  static async open(peer: Peer, clock: Clock, signal?: AbortSignal): Promise<AmqpConnection> {
    const { host, port, tls, keyName } = peer
    const connection = rhea.create_container().connect({
      transport: tls ? 'tls' : 'tcp',
      host,
      hostname: host,
      port,
      username: keyName,
      reconnect: false,
      idle_time_out: idleTimeout,
      properties: { product: 'StreamBridge' },
    } as Parameters<ReturnType<typeof rhea.create_container>['connect']>[0])
    const opened = new AmqpConnection(connection, clock)
    try {
      await opened.wait<void>(
        'the connection',
        (resolve) => connection.once('connection_open', () => resolve()),
        signal,
      )
    } catch (thrown) {
      opened.destroy(thrown)
      throw thrown
    }
    return opened
  }

  /** Aborted, with an Error as its reason, when nothing more can be done with it. */
  get ended(): AbortSignal {
    return this.#end.signal
  }

  /**
   * A step that needs the peer: rejects when the connection ends, the signal aborts, or no answer comes. When nothing at
   * all came meanwhile the connection is half open and ended.
   */
  wait<T>(
    what: string,
    begin: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
    signal?: AbortSignal,
  ): Promise<T> {
    const began = this.#clock.monotonic()
    return new Promise((resolve, reject) => {
      const over = new AbortController()
      const finish = (act: () => void): void => {
        if (over.signal.aborted) return
        over.abort()
        act()
      }
      const lost = (): void => finish(() => reject(this.ended.reason as Error))
      const unwanted = (): void => finish(() => reject(new ConnectionLost(`${what} was given up`)))
      const late = (): void =>
        finish(() => {
          const error = new ConnectionLost(`${what}: no answer within ${answerTimeout / 1000} s`)
          if (this.#heard <= began) this.destroy(error)
          reject(error)
        })
      if (this.ended.aborted) return lost()
      if (signal?.aborted === true) return unwanted()
      this.ended.addEventListener('abort', lost, { once: true, signal: over.signal })
      signal?.addEventListener('abort', unwanted, { once: true, signal: over.signal })
      void this.#clock.sleep(answerTimeout, over.signal).then(late)
      begin(
        (value) => finish(() => resolve(value)),
        (error) => finish(() => reject(error)),
      )
    })
  }

  /** A link that receives; it gives no credit by itself. Resolves when it is attached: a refusal may follow as its end. */
  async receiver(options: ReceiverOptions, handlers: ReceiverHandlers, signal?: AbortSignal): Promise<ReceiverLink> {
    const session = this.session()
    const receiver = session.open_receiver({ credit_window: 0, autoaccept: true, ...options })
    let over = false
    const ended = (error: Error): void => {
      if (over) return
      over = true
      this.ended.removeEventListener('abort', lost)
      handlers.ended(error)
    }
    const lost = (): void => ended(this.ended.reason as Error)
    const close = (): void => {
      over = true
      this.ended.removeEventListener('abort', lost)
      closeLink(receiver, session)
    }
    receiver.on('message', ({ message }: EventContext) => {
      if (!over && message !== undefined) handlers.message(message)
    })
    this.ended.addEventListener('abort', lost, { once: true })
    onLinkEnd(receiver, session, ended)
    try {
      await this.wait<void>('attaching', (resolve) => receiver.once('receiver_open', () => resolve()), signal)
    } catch (thrown) {
      close()
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

  /** A link that sends batches, attached and allowed to send. */
  async sender(address: string, name: string): Promise<SenderLink> {
    const session = this.session()
    const sender = session.open_sender({ name, source: name, target: { address }, autosettle: true })
    let failure: Error | undefined
    let pending: { resolve(): void; reject(error: Error): void } | undefined
    const settle = (act: (waiting: { resolve(): void; reject(error: Error): void }) => void): void => {
      const waiting = pending
      pending = undefined
      if (waiting !== undefined) act(waiting)
    }
    onLinkEnd(sender, session, (error) => {
      failure ??= error
      settle(({ reject }) => reject(new ConnectionLost(error.message)))
    })
    sender.on('accepted', () => settle(({ resolve }) => resolve()))
    sender.on('released', () => settle(({ reject }) => reject(new AmqpFailure('amqp:internal-error', 'not taken'))))
    sender.on('rejected', ({ delivery }: EventContext) => {
      const state = delivery?.remote_state as { readonly error?: AmqpError } | undefined
      settle(({ reject }) => reject(failureOf(state?.error, 'the link')))
    })
    const open = (): boolean => failure === undefined && !this.ended.aborted
    const sendable = (what: string): Promise<void> =>
      this.wait<void>(what, (resolve, reject) => {
        if (failure !== undefined) return reject(failure)
        if (sender.sendable()) return resolve()
        sender.once('sendable', () => resolve())
        onLinkEnd(sender, session, reject)
      })
    const close = (): void => {
      failure ??= new ConnectionLost('the link was closed')
      closeLink(sender, session)
    }
    try {
      await sendable('attaching')
    } catch (thrown) {
      close()
      throw thrown
    }
    return {
      maxMessageSize: Number(sender.max_message_size ?? 0) || 1_048_576,
      get open() {
        return open()
      },
      close,
      send: async (payload) => {
        if (!sender.sendable()) await sendable('waiting to send')
        try {
          await this.wait<void>('sending', (resolve, reject) => {
            pending = { resolve, reject }
            sender.send(payload as unknown as Message, undefined, batchFormat)
          })
        } catch (thrown) {
          // It might still be sent when the peer makes room, behind what is sent again by then.
          if (pending !== undefined) this.destroy(thrown)
          throw thrown
        }
      },
    }
  }

  /** Asks one of the peer's nodes, `$cbs` or `$management`. Rejects with AmqpFailure when it answers with an error. */
  async request(address: string, message: Message, signal?: AbortSignal): Promise<Message> {
    let link = this.#requests.get(address)
    if (link === undefined) {
      link = RequestLink.open(this, address)
      this.#requests.set(address, link)
      const forget = (): void => void this.#requests.delete(address)
      link.then(({ ended }) => ended.addEventListener('abort', forget, { once: true }), forget)
    }
    return await (await link).ask(message, signal)
  }

  session(): Session {
    const session = this.#connection.create_session()
    session.open()
    return session
  }

  /** Ends it in good order, or without, when the peer does not answer. */
  async close(): Promise<void> {
    if (this.ended.aborted) return
    const over = new AbortController()
    this.ended.addEventListener('abort', () => over.abort(), { once: true })
    this.#connection.close()
    await this.#clock.sleep(closeTimeout, over.signal)
    this.destroy(new ConnectionLost('the connection was closed'))
  }

  /** Ends it at once. */
  destroy(thrown: unknown): void {
    if (this.ended.aborted) return
    this.#end.abort(thrown instanceof Error ? thrown : new ConnectionLost(String(thrown)))
    const inside = this.#connection as unknown as {
      readonly socket: Socket
      _disconnected(): void
      socket_ready: boolean
    }
    inside.socket.destroy()
    // The library sees a socket end only when the peer ends it; otherwise its heartbeat would go on.
    inside._disconnected()
    inside.socket_ready = false
  }
}

/** What ended a connection: an error of the socket, the peer's, or none. */
function endOf(context: EventContext | Error, connection: Connection): Error {
  if (context instanceof Error) return context
  const { error } = context as { readonly error?: AmqpError | Error }
  const said = (connection.error as AmqpError | undefined) ?? (error as AmqpError | undefined)
  if (said?.condition !== undefined)
    return failureOf({ ...said, condition: said.condition, description: said.description ?? '' }, '')
  return error instanceof Error ? error : new ConnectionLost('the connection was closed')
}

/** Calls back at the first sign that the link or its session has ended. */
export function onLinkEnd(link: Sender | Receiver, session: Session, ended: (error: Error) => void): void {
  const kind = link.is_receiver() ? 'receiver' : 'sender'
  for (const event of [`${kind}_error`, `${kind}_close`])
    link.on(event, () => ended(failureOf(link.error as AmqpError | undefined, 'the link')))
  for (const event of ['session_error', 'session_close'])
    session.on(event, () => ended(failureOf(session.error as AmqpError | undefined, 'the session')))
}

export function closeLink(link: Sender | Receiver, session: Session): void {
  link.close()
  session.close()
}
