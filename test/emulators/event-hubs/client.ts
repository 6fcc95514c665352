/** One client's connection: its socket, which faults may spoil, its tokens and its links. */
import type { Socket } from 'node:net'
import { type Connection, type Sender, type Session, socketEnded } from './amqp.ts'
import { condition, errorOf } from './conditions.ts'
import type { Fault, Scope } from './faults.ts'
import { type Grant, granted } from './sas.ts'
import { slowDown } from './slow-socket.ts'

export interface LinkReport extends Scope {
  readonly kind: 'reader' | 'writer'
  readonly credit: number
  readonly transfers: number
  readonly epoch?: number | undefined
  /** Sequence number of the next event to send. */
  readonly next?: number
}

/** A link to a hub or a partition. */
export interface AttachedLink {
  readonly address: string
  readonly session: Session
  readonly scope: Scope
  /** Milliseconds since the epoch of the last transfer, or of the attach. */
  readonly lastActive: number
  report(): LinkReport
  detach(condition: string, description: string): void
  /** The peer or the connection is gone. */
  ended(): void
}

/** What can be done to a whole connection. */
export type Disturbance = Pick<Fault, 'do' | 'condition' | 'description' | 'bytesPerSecond'>

export class Client {
  readonly connection: Connection
  readonly links = new Set<AttachedLink>()
  /** Links that carry the answers of $cbs and $management. */
  readonly replies = new Set<Sender>()
  readonly #socket: Socket
  readonly #now: () => number
  readonly #grants = new Map<string, Grant>()
  readonly #expiries = new Set<NodeJS.Timeout>()
  lastActive: number

  constructor(connection: Connection, socket: Socket, now: () => number) {
    this.connection = connection
    this.#socket = socket
    this.#now = now
    this.lastActive = now()
    socket.once('close', () => {
      this.ended()
      socketEnded(connection)
    })
  }

  get peer(): string {
    return `${this.#socket.remoteAddress}:${this.#socket.remotePort}`
  }

  /** Bytes the client has not taken yet. */
  get unsent(): number {
    return this.#socket.writableLength
  }

  onceDrained(callback: () => void): void {
    this.#socket.once('drain', callback)
  }

  /** What is written meanwhile leaves in one piece. */
  together(write: () => void): void {
    this.#socket.cork()
    write()
    // The library writes on the next tick, which it asked for before this one.
    process.nextTick(() => this.#socket.uncork())
  }

  /** Allows what the token grants; when it ends, links without another are detached. */
  grant(grant: Grant): void {
    this.#grants.set(grant.path, grant)
    if (!Number.isFinite(grant.expires)) return
    const timer = setTimeout(
      () => {
        this.#expiries.delete(timer)
        this.#detachExpired()
      },
      Math.min(grant.expires - this.#now() + 1, 2 ** 31 - 1),
    )
    timer.unref()
    this.#expiries.add(timer)
  }

  allowed(address: string): boolean {
    return granted(this.#grants.values(), address, this.#now())
  }

  #detachExpired(): void {
    for (const link of this.links)
      if (!this.allowed(link.address)) link.detach(condition.unauthorized, 'ExpiredToken: The token is expired.')
  }

  /** Whether the action was one that ends or silences the connection; then the operation is over. */
  disturb({ do: action, condition, description, bytesPerSecond }: Disturbance): boolean {
    if (action === 'refuse' || action === 'closeSocket') this.#socket.destroy()
    else if (action === 'rstSocket') this.#socket.resetAndDestroy()
    else if (action === 'blackhole') this.#blackhole()
    else if (action === 'closeConnection') this.close(condition, description)
    else {
      if (action === 'slow') slowDown(this.#socket, bytesPerSecond)
      return false
    }
    return true
  }

  /** Nothing is sent any more; the client is told why. */
  close(condition: string, description: string): void {
    this.ended()
    this.connection.close(errorOf(condition, description))
  }

  /** Reads nothing and writes nothing from now on; the socket stays open. */
  #blackhole(): void {
    this.#socket.removeAllListeners('data')
    this.#socket.pause()
    this.#socket.write = () => true
  }

  /** The session's links end. */
  sessionEnded(session: Session): void {
    const links = [...this.links].filter((link) => link.session === session)
    for (const link of links) {
      link.ended()
      this.links.delete(link)
    }
  }

  /** All links end. */
  ended(): void {
    for (const link of this.links) link.ended()
    this.links.clear()
    this.replies.clear()
    for (const timer of this.#expiries) clearTimeout(timer)
  }

  destroy(): void {
    this.#socket.destroy()
  }
}
