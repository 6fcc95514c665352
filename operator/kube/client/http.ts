/** One HTTP request to the API server: its answer, or a KubeError, within its deadline. */
import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import { KubeError } from '../api.ts'
import type { ClusterAccess } from './cluster-access.ts'

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly body?: unknown
  readonly contentType?: string
  /** What the caller is doing, for error texts: `applying Deployment shop/orders`. */
  readonly purpose: string
  /** Ends the request, also while its answer is read. */
  readonly signal: AbortSignal
  /**
   * Called immediately before the request is sent, each time: a process that was stopped while it waited for a connection
   * must not send a write for which it has lost the permission. It throws to refuse.
   */
  readonly permit?: () => void
}

/** Larger than any object etcd takes (1.5 MiB) and than a page of 500 of ours. */
const maxAnswerBytes = 256 * 2 ** 20

const transportError = (purpose: string, error: unknown): KubeError => {
  const timedOut = error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError')
  const text = timedOut ? 'no answer in time' : error instanceof Error ? error.message : 'failed'
  return new KubeError(`${purpose}: the API server: ${text}`, {
    status: 0,
    reason: timedOut ? 'Timeout' : 'Unreachable',
    cause: error,
  })
}

/** Resolves when the head of the answer is there, whatever its status; the caller reads the body. */
export async function open(access: ClusterAccess, request: HttpRequest, fresh = false): Promise<IncomingMessage> {
  const { method, path, body, contentType = 'application/json', purpose, signal, permit } = request
  try {
    const { headers, agent } = await access.connect(fresh)
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
    const { protocol, hostname, port, pathname } = access.server
    const response = await answerTo(() => {
      const send = protocol === 'http:' ? httpRequest : httpsRequest
      const outgoing = send({
        protocol,
        hostname: hostname.replace(/^\[|\]$/g, ''),
        port,
        method,
        path: pathname.replace(/\/$/, '') + path,
        agent,
        signal,
        headers: {
          ...headers,
          accept: 'application/json',
          'user-agent': 'streambridge-operator',
          ...(payload === undefined ? {} : { 'content-type': contentType, 'content-length': payload.length }),
        },
      })
      sendWhenConnected(outgoing, payload, permit)
      return outgoing
    }, method !== 'POST')
    if (response.statusCode !== 401 || fresh) return response
    response.resume()
  } catch (error) {
    if (error instanceof KubeError) throw error
    throw transportError(purpose, signal.aborted ? signal.reason : error)
  }
  // The token may have been replaced since it was read: once more with a new one.
  return open(access, request, true)
}

/** Sends on a connected socket, so that nothing is between the permission and the system call. */
function sendWhenConnected(outgoing: ClientRequest, payload: Buffer | undefined, permit?: () => void): void {
  const sendNow = (): void => {
    try {
      permit?.()
      outgoing.end(payload)
    } catch (error) {
      outgoing.destroy(error as Error)
    }
  }
  outgoing.once('socket', (socket: Socket) => {
    if (socket.connecting) socket.once(outgoing.protocol === 'https:' ? 'secureConnect' : 'connect', sendNow)
    else sendNow()
  })
}

/** A kept connection may have been closed by the other side just now: then, and only then, once more on a new one. */
async function answerTo(send: () => ClientRequest, repeatable: boolean): Promise<IncomingMessage> {
  for (;;) {
    const outgoing = send()
    try {
      return await new Promise<IncomingMessage>((resolve, reject) => {
        outgoing.on('response', resolve)
        outgoing.on('error', reject)
      })
    } catch (error) {
      const closed = (error as NodeJS.ErrnoException).code === 'ECONNRESET' && outgoing.reusedSocket
      if (!closed || !repeatable) throw error
    }
  }
}

/** The whole body. *Errors*: KubeError when it ends early, is too large or too late. */
export async function readBody(response: IncomingMessage, { purpose, signal }: HttpRequest): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > maxAnswerBytes) throw new Error(`the answer has more than ${maxAnswerBytes} bytes`)
      chunks.push(chunk)
    }
  } catch (error) {
    throw transportError(purpose, signal.aborted ? signal.reason : error)
  }
  return Buffer.concat(chunks).toString('utf8')
}

interface StatusBody {
  readonly message?: string
  readonly reason?: string
  readonly code?: number
  readonly details?: { readonly retryAfterSeconds?: number }
}

/** For answers without a Status object: proxies, and paths of kinds that are not installed. */
const reasons: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Expired',
  422: 'Invalid',
  429: 'TooManyRequests',
}

/** The server's error, from the Status object where it sent one. */
export function serverError(purpose: string, status: number, body: unknown, retryAfter?: string): KubeError {
  const { message, reason, details } = (typeof body === 'object' && body !== null ? body : {}) as StatusBody
  const seconds = Number(retryAfter ?? details?.retryAfterSeconds ?? Number.NaN)
  return new KubeError(message ?? `${purpose}: the API server answered ${status}`, {
    status,
    reason: reason ?? reasons[status] ?? 'Unknown',
    ...(Number.isFinite(seconds) ? { retryAfterMilliseconds: seconds * 1_000 } : {}),
  })
}

/** The value of a JSON text; undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
