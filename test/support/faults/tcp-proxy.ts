/** A TCP proxy that breaks connections in every way a network does. Faults apply to open connections and to new ones. */
import { connect, createServer, type Socket } from 'node:net'

export type Direction = 'toServer' | 'toClient'

export interface TcpFaults {
  /** Milliseconds each chunk is held back, per direction. */
  readonly latency?: number
  /** Bytes in these directions vanish; the connection stays open. Both: a black hole. One: half open. */
  readonly drop?: readonly Direction[]
  /** New connections are reset at once. */
  readonly refuse?: boolean
  /** Connections that begin with these bytes are reset: another protocol than the one that is to pass. */
  readonly refuseStarting?: string
  /** Connections are reset after so many bytes in the direction, counted from now over each connection. */
  readonly cutAfter?: { readonly direction: Direction; readonly bytes: number }
  /**
   * What the client sends arrives, but the connection is reset instead of the server's answer, for requests of at least
   * so many bytes since the last answer: the ambiguous result.
   */
  readonly loseAnswerAfter?: number
}

export interface TcpProxy extends AsyncDisposable {
  readonly host: string
  readonly port: number
  /** `host:port`. */
  readonly address: string
  /** Open connections. */
  readonly connections: number
  /** Connections that were ever opened. */
  readonly accepted: number
  /** Connections that were cut or reset by a fault. */
  readonly cuts: number
  /** Bytes that vanished. */
  readonly dropped: number
  /** Replaces all faults; without argument everything works again. */
  fault(faults?: TcpFaults): void
  /** Resets every open connection. */
  reset(): void
  /** Changes where new connections go: `host:port`. */
  retarget(target: string): void
  stop(): Promise<void>
}

interface Link {
  readonly client: Socket
  readonly server: Socket
  readonly passed: Record<Direction, number>
  asked: number
  tail: Record<Direction, Promise<void>>
}

/** Listens at 127.0.0.1, on a free port unless one is given, and passes everything on to `target` (`host:port`). */
export async function startTcpProxy(target: string, port = 0): Promise<TcpProxy> {
  let faults: TcpFaults = {}
  let upstream = target
  let cuts = 0
  let dropped = 0
  let accepted = 0
  const links = new Set<Link>()
  const cut = (link: Link): void => {
    if (!links.delete(link)) return
    cuts++
    link.client.resetAndDestroy()
    link.server.resetAndDestroy()
  }
  const pass = (link: Link, direction: Direction, chunk: Buffer): void => {
    const current = faults
    if (direction === 'toServer' && refuses(link, chunk, current)) return cut(link)
    if (current.drop?.includes(direction) === true) return void (dropped += chunk.length)
    if (losesAnswer(link, direction, chunk.length, current)) return cut(link)
    const whole = chunkBeforeCut(link, direction, chunk, current)
    const to = direction === 'toServer' ? link.server : link.client
    const write = (): void => {
      if (!to.destroyed && whole.length > 0) to.write(whole)
      if (whole.length < chunk.length) setImmediate(() => cut(link))
    }
    if (current.latency === undefined) return write()
    const wait = new Promise<void>((resolve) => setTimeout(resolve, current.latency))
    link.tail[direction] = link.tail[direction].then(() => wait).then(write)
  }
  const server = createServer({ allowHalfOpen: true }, (client) => {
    accepted++
    if (faults.refuse === true) {
      cuts++
      return void client.resetAndDestroy()
    }
    const [host, upstreamPort] = splitAddress(upstream)
    const link: Link = {
      client,
      server: connect({ host, port: upstreamPort, allowHalfOpen: true }),
      passed: { toServer: 0, toClient: 0 },
      asked: 0,
      tail: { toServer: Promise.resolve(), toClient: Promise.resolve() },
    }
    links.add(link)
    join(link, 'toServer', pass, () => links.delete(link))
    join(link, 'toClient', pass, () => links.delete(link))
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const bound = server.address()
  const listening = typeof bound === 'object' && bound !== null ? bound.port : port
  const stop = async (): Promise<void> => {
    for (const link of links) {
      link.client.destroy()
      link.server.destroy()
    }
    await new Promise((resolve) => server.close(resolve))
  }
  return {
    host: '127.0.0.1',
    port: listening,
    address: `127.0.0.1:${listening}`,
    get connections() {
      return links.size
    },
    get accepted() {
      return accepted
    },
    get cuts() {
      return cuts
    },
    get dropped() {
      return dropped
    },
    fault(next = {}) {
      faults = next
      for (const link of links) link.passed.toServer = link.passed.toClient = 0
    },
    reset: () => [...links].forEach(cut),
    retarget(next) {
      upstream = next
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function join(
  link: Link,
  direction: Direction,
  pass: (link: Link, direction: Direction, chunk: Buffer) => void,
  gone: () => void,
): void {
  const [from, to] = direction === 'toServer' ? [link.client, link.server] : [link.server, link.client]
  from.setNoDelay(true)
  from.on('data', (chunk: Buffer) => pass(link, direction, chunk))
  from.on('end', () => void link.tail[direction].then(() => to.end()))
  from.on('error', () => undefined)
  from.on('close', () => {
    gone()
    void link.tail[direction].then(() => to.destroy())
  })
}

/** A client's first bytes come in one piece: requests are written whole. */
const refuses = ({ passed }: Link, chunk: Buffer, { refuseStarting }: TcpFaults): boolean =>
  refuseStarting !== undefined && passed.toServer === 0 && chunk.toString('latin1').startsWith(refuseStarting)

/** Counts requests and answers; true when this chunk of an answer is the one to lose. */
function losesAnswer(link: Link, direction: Direction, bytes: number, { loseAnswerAfter }: TcpFaults): boolean {
  if (direction === 'toServer') {
    link.asked += bytes
    return false
  }
  const loses = loseAnswerAfter !== undefined && link.asked >= loseAnswerAfter
  link.asked = 0
  return loses
}

/** The part of the chunk that still passes. */
function chunkBeforeCut(link: Link, direction: Direction, chunk: Buffer, { cutAfter }: TcpFaults): Buffer {
  const before = link.passed[direction]
  link.passed[direction] += chunk.length
  if (cutAfter === undefined || cutAfter.direction !== direction) return chunk
  return chunk.subarray(0, Math.max(0, cutAfter.bytes - before))
}

function splitAddress(address: string): [string, number] {
  const colon = address.lastIndexOf(':')
  return [address.slice(0, colon), Number(address.slice(colon + 1))]
}
