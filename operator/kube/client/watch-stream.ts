/** One watch request: its events, line by line, until the server ends it or no byte comes for too long. */
import type { IncomingMessage } from 'node:http'
import { KubeError, type KubeObject, type Resource, type WatchEvent, type WatchOptions } from '../api.ts'
import type { ClusterAccess } from './cluster-access.ts'
import { open, parseJson, readBody, serverError } from './http.ts'
import { received } from './received.ts'
import { collectionPath } from './urls.ts'

export interface WatchContext {
  readonly access: ClusterAccess
  /** Milliseconds until the head of the answer must be there. */
  readonly deadline: number
  /** Milliseconds without a byte after which the connection is taken for dead. */
  readonly idleTimeout: number
}

export interface WatchTarget<T extends KubeObject> {
  readonly resource: Resource<T>
  readonly watch: WatchOptions
  readonly signal: AbortSignal
}

/** Milliseconds after the requested end in which the server may still end the watch. */
const endTolerance = 15_000

/** Far above what etcd takes for one object: a line without end is no watch. */
const maxLineBytes = 32 * 2 ** 20

/** A timer that aborts its signal unless it is reset in time. */
function createWatchdog(): { readonly signal: AbortSignal; reset(milliseconds: number): void; stop(): void } {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const expire = (): void => controller.abort(new DOMException('silent for too long', 'TimeoutError'))
  return {
    signal: controller.signal,
    reset(milliseconds) {
      clearTimeout(timer)
      timer = setTimeout(expire, milliseconds)
    },
    stop: () => clearTimeout(timer),
  }
}

export async function* watchStream<T extends KubeObject>(
  context: WatchContext,
  { resource, watch, signal }: WatchTarget<T>,
): AsyncGenerator<WatchEvent<T>> {
  const { resourceVersion, timeoutSeconds, ...selection } = watch
  const watchdog = createWatchdog()
  const end = AbortSignal.timeout(timeoutSeconds * 1_000 + endTolerance)
  const request = {
    method: 'GET' as const,
    path: collectionPath(resource, selection, {
      watch: 1,
      allowWatchBookmarks: 'true',
      resourceVersion,
      timeoutSeconds,
    }),
    purpose: `watching ${resource.plural}`,
    signal: AbortSignal.any([signal, end, watchdog.signal]),
  }
  let response: IncomingMessage | undefined
  try {
    watchdog.reset(context.deadline)
    response = await open(context.access, request)
    const status = response.statusCode ?? 0
    if (status !== 200)
      throw serverError(
        request.purpose,
        status,
        parseJson(await readBody(response, request)),
        response.headers['retry-after'],
      )
    const onBytes = (): void => watchdog.reset(context.idleTimeout)
    for await (const line of lines(response, onBytes)) yield eventOf(resource, line)
  } catch (error) {
    if (signal.aborted) return
    if (error instanceof KubeError) throw error
    const timedOut = watchdog.signal.aborted || end.aborted
    const because = timedOut
      ? 'the API server fell silent'
      : error instanceof Error
        ? error.message
        : 'the connection broke'
    throw new KubeError(`${request.purpose}: ${because}`, {
      status: 0,
      reason: timedOut ? 'Timeout' : 'Unreachable',
      cause: error,
    })
  } finally {
    watchdog.stop()
    response?.destroy()
  }
}

/** The lines of the body. Rejects when it ends within one. */
async function* lines(response: IncomingMessage, onBytes: () => void): AsyncGenerator<string> {
  let parts: Buffer[] = []
  let size = 0
  onBytes()
  for await (const chunk of response as AsyncIterable<Buffer>) {
    onBytes()
    let start = 0
    for (let stop = chunk.indexOf(10); stop >= 0; stop = chunk.indexOf(10, start)) {
      parts.push(chunk.subarray(start, stop))
      yield Buffer.concat(parts).toString('utf8')
      parts = []
      size = 0
      start = stop + 1
    }
    parts.push(chunk.subarray(start))
    size += chunk.length - start
    if (size > maxLineBytes) throw new Error('an event has no end')
  }
  if (size > 0) throw new Error('the connection ended within an event')
}

interface RawEvent {
  readonly type: string
  readonly object: KubeObject & { readonly code?: number }
}

function eventOf<T extends KubeObject>(resource: Resource<T>, line: string): WatchEvent<T> {
  const event = parseJson(line) as RawEvent | undefined
  const { type, object } = event ?? { type: '', object: undefined }
  if (object !== undefined && (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED'))
    return { type, object: received(resource, object) }
  if (type === 'BOOKMARK') return { type, resourceVersion: object?.metadata.resourceVersion ?? '' }
  if (type === 'ERROR') throw serverError(`watching ${resource.plural}`, object?.code ?? 500, object)
  throw new Error('the API server sent something that is no watch event')
}
