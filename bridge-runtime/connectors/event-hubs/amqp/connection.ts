/** One AMQP 1.0 connection: its links, requests with answers, and an end that always comes. */
import { type Socket } from 'node:net'
import rhea, {
  type AmqpError,
  type Connection,
  type EventContext,
  type Receiver,
  type Sender,
  type Session,
} from 'rhea'
import type { Clock } from '../../../core/clock.ts'
import { AmqpFailure, ConnectionLost } from '../errors.ts'

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
/** Bytes of an empty frame: it says that the peer lives, not that it hears us. */
const heartbeat = 8

/** Why a link or a session ended, in the peer's words. */
export const failureOf = (error: AmqpError | Error | undefined, what: string): Error => {
  if (error instanceof Error) return error
  if (error?.condition === undefined) return new AmqpFailure('amqp:link:detach-forced', `${what} was closed`)
  return new AmqpFailure(error.condition, error.description ?? error.condition)
}

export class AmqpConnection {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #end = new AbortController()
  #heard: number

  private constructor(connection: Connection, clock: Clock) {
    this.#connection = connection
    this.#clock = clock
    this.#heard = clock.monotonic()
    const { socket } = connection as unknown as { readonly socket: Socket }
    socket.setNoDelay(true)
    socket.on('data', ({ length }: Buffer) => {
      if (length > heartbeat) this.#heard = clock.monotonic()
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
    // The library sees a socket end only when the peer ends it. Its heartbeat would go on, and it may be in the middle of
    // what it reads, after which it starts that anew.
    setImmediate(() => {
      inside.socket_ready = false
      inside._disconnected()
    })
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
