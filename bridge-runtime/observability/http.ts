/** A small HTTP server for pages that anybody on the network may ask for. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
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

export interface Served {
  readonly port: number
  /** Ends every connection. */
  close(): Promise<void>
}

/**
 * *Guarantees*: nothing that a client sends, or does not read, ends the process, holds up other clients or takes memory
 * beyond the limits: a connection is for one request, and a second one ends it, answered or not.
 * *Errors*: rejects when the port is taken.
 */
export async function servePages({ port, host, pages, limits = {} }: ServeOptions): Promise<Served> {
  const { connections, lifetime } = { ...usual, ...limits }
  const server = createServer()
  const open = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    const timer = setTimeout(() => socket.destroy(), lifetime).unref()
    socket.once('close', () => {
      clearTimeout(timer)
      open.delete(socket)
    })
    const [oldest] = open
    if (open.size > connections) oldest?.destroy()
  })
  const asked = new WeakSet<Socket>()
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    if (asked.has(request.socket)) return void request.socket.destroy()
    asked.add(request.socket)
    void answer(request, pages).then((page) => {
      response.shouldKeepAlive = false
      response.writeHead(page.status, { 'content-type': page.type, 'content-length': Buffer.byteLength(page.body) })
      response.end(page.body)
    })
  }
  // Without listeners of their own the last two are answered by Node, as often as they are asked.
  for (const event of ['request', 'checkContinue', 'checkExpectation']) server.on(event, onRequest)
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
        server.closeAllConnections()
      }),
  }
}

/** Never rejects. */
async function answer({ method, url = '' }: IncomingMessage, pages: ServeOptions['pages']): Promise<Page> {
  const text = (status: number, body: string): Page => ({ status, type: plainText, body: `${body}\n` })
  if (method !== 'GET' && method !== 'HEAD') return text(405, 'only GET and HEAD are answered')
  const page = pages.get(url.split('?', 1)[0] ?? '')
  if (page === undefined) return text(404, `try ${[...pages.keys()].join(', ')}`)
  try {
    return await page()
  } catch {
    return text(500, 'internal error')
  }
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
