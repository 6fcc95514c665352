/**
 * A small HTTP server for pages that anybody on the network may ask for. Not Node's: that one takes up each of the
 * thousands of requests that fit into one packet before anybody else has a turn. This one reads one and looks at no more.
 */
import { STATUS_CODES } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Clock } from '../core/clock.ts'

export interface Page {
  readonly status: number
  readonly type: string
  readonly body: string | Buffer
}

export const plainText = 'text/plain; charset=utf-8'

export interface ServeOptions {
  /** 0 chooses a free one. */
  readonly port: number
  /** The address to listen on; undefined: all of this machine's. */
  readonly host: string | undefined
  /** By path. What one throws is answered with 500. */
  readonly pages: ReadonlyMap<string, () => Page | Promise<Page>>
  readonly limits?: Partial<Limits>
}

export interface Limits {
  /** Connections held at a time; one more ends the oldest, so that those who hold on to theirs keep nobody out. */
  readonly connections: number
  /** Milliseconds from a connection's beginning to its end, however slowly it is written to or read. */
  readonly lifetime: number
}

/** A kubelet, an operator and some scrapers hold a handful, each for a fraction of a second. */
const usual: Limits = { connections: 64, lifetime: 15_000 }
/** Bytes of a request up to the empty line that ends its head. */
const longestHead = 16 * 1024

export interface Served {
  readonly port: number
  /** Ends every connection. */
  close(): Promise<void>
}

/**
 * *Guarantees*: nothing that a client sends, or does not read, ends the process, holds up other clients or takes memory
 * beyond the limits. A connection is for one request; what comes after it, its body too, is dropped unread.
 * *Errors*: rejects when the port is taken.
 */
export async function servePages({ port, host, pages, limits = {} }: ServeOptions): Promise<Served> {
  const { connections, lifetime } = { ...usual, ...limits }
  const open = new Set<Socket>()
  // Half open: who has asked may end his side before the answer.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    open.add(socket)
    const timer = setTimeout(() => socket.destroy(), lifetime).unref()
    socket.once('close', () => {
      clearTimeout(timer)
      open.delete(socket)
    })
    // A client that is gone is no concern of ours.
    socket.on('error', () => undefined)
    const [oldest] = open
    if (open.size > connections) oldest?.destroy()
    void headOf(socket)
      .then((head) => answerTo(head, pages))
      .then(([page, withBody]) => send(socket, page, withBody))
  })
  await new Promise<void>((resolve, reject) => {
    // Stays: a connection that cannot be accepted is an error of the server, too.
    server.on('error', reject)
    server.listen({ port, host }, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
  }
}

/** What came up to the empty line, to the end, or to the limit. All that comes later is dropped. Never rejects. */
function headOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let head = ''
    const done = (): void => {
      socket.off('data', take)
      socket.resume()
      resolve(head)
    }
    const take = (bytes: Buffer): void => {
      const before = head.length
      head += bytes.toString('latin1', 0, longestHead - before)
      if (head.length === longestHead || head.includes('\r\n\r\n', Math.max(0, before - 3))) done()
    }
    socket.on('data', take)
    socket.once('end', done)
  })
}

const text = (status: number, body: string): Page => ({ status, type: plainText, body: `${body}\n` })

/** The answer, and whether its body is sent. Never rejects. */
async function answerTo(head: string, pages: ServeOptions['pages']): Promise<readonly [Page, boolean]> {
  const [method = '', target = '', version = '', ...more] = (head.split('\r\n', 1)[0] ?? '').split(' ')
  if (!/^HTTP\/1\.[01]$/.test(version) || more.length > 0) return [text(400, 'this is no HTTP/1 request'), true]
  if (!head.includes('\r\n\r\n')) return [text(431, 'the head of the request is too long, or has no end'), true]
  if (method !== 'GET' && method !== 'HEAD') return [text(405, 'only GET and HEAD are answered'), true]
  return [await pageAt(target.split('?', 1)[0] ?? '', pages), method === 'GET']
}

async function pageAt(path: string, pages: ServeOptions['pages']): Promise<Page> {
  try {
    return (await pages.get(path)?.()) ?? text(404, `try ${[...pages.keys()].join(', ')}`)
  } catch {
    return text(500, 'internal error')
  }
}

/** The bytes of a Buffer are not copied for each who reads them. */
function send(socket: Socket, { status, type, body }: Page, withBody: boolean): void {
  const fields = [`content-type: ${type}`, `content-length: ${Buffer.byteLength(body)}`, 'connection: close']
  if (status === 405) fields.push('allow: GET, HEAD')
  socket.cork()
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${fields.join('\r\n')}\r\n\r\n`)
  if (withBody) socket.write(body)
  // The socket is closed when the client ends its side as well, or at the end of its lifetime: earlier it could lose what
  // is on its way.
  socket.end()
}

/** The same answer for everybody who asks within so many milliseconds of the first, made once. */
export function shared<T>(milliseconds: number, clock: Clock, make: () => T): () => T {
  let last: { readonly until: number; readonly value: T } | undefined
  return () => {
    const now = clock.monotonic()
    if (last === undefined || now >= last.until) last = { until: now + milliseconds, value: make() }
    return last.value
  }
}

/** Milliseconds that a rendering of the metrics is good for: it takes long, and nobody scrapes more often. */
const freshMetrics = 1_000

/** The page of a registry, rendered at most once a second; all who read it share its bytes. */
export const metricsPage = (
  registry: { readonly contentType: string; metrics(): Promise<string> },
  clock: Clock,
): (() => Promise<Page>) =>
  shared(freshMetrics, clock, async () => ({
    status: 200,
    type: registry.contentType,
    body: Buffer.from(await registry.metrics()),
  }))
