/**
 * Reports the objects of a kind that exist, and each change of one. *Guarantees*: after any failure it lists again,
 * so a missed event is made up for; a connection without events or bookmarks is given up; everything is listed again every ten
 * minutes; one object that cannot be dealt with stops nothing. It may report an object that has not changed.
 */
import type { Clock } from '../../bridge-runtime/core/clock.ts'
import { errorText, type Logger } from '../../bridge-runtime/observability/logger.ts'
import {
  type KubeApi,
  KubeError,
  type KubeObject,
  keyText,
  type ListOptions,
  type Resource,
  type WatchEvent,
} from './api.ts'
import { type Backoff, backoffDelay } from './backoff.ts'

export interface WatchLoopOptions<T extends KubeObject> {
  readonly api: KubeApi
  readonly resource: Resource<T>
  readonly selection?: ListOptions
  readonly clock: Clock
  /** A number in [0, 1), for jitter. */
  readonly random: () => number
  readonly logger: Logger
  /** An object was added or changed, or is gone (as last seen). */
  readonly onChange: (object: T, change: 'present' | 'gone') => void
}

export interface WatchLoop {
  /** Resolves when the first list was reported. Never rejects; never resolves when stopped before. */
  readonly synced: Promise<void>
  /** Milliseconds since the last answer or event of the API server; Infinity before the first. */
  lastSync(): number
  stop(): Promise<void>
}

/** Milliseconds between full lists. */
const relistEvery = 600_000
/** Milliseconds without an event or a bookmark (they are up to two minutes apart) after which a watch is given up. */
const idleTimeout = 240_000
/** Milliseconds: a watch that ends sooner without an event has failed. */
const minWatchDuration = 1_000

export function startWatch<T extends KubeObject>(options: WatchLoopOptions<T>): WatchLoop {
  const { api, resource, selection = {}, clock, random, logger } = options
  const backoff: Backoff = { initial: 500, max: 30_000, random }
  const stopping = new AbortController()
  const objects = new Map<string, T>()
  const synced = Promise.withResolvers<void>()
  let lastContactAt = -Infinity
  let failures = 0

  const onContact = (): void => {
    lastContactAt = clock.monotonic()
  }

  const report = (object: T, change: 'present' | 'gone'): void => {
    try {
      if (change === 'present') objects.set(keyText(object.metadata), object)
      else objects.delete(keyText(object.metadata))
      options.onChange(object, change)
    } catch (error) {
      logger.error('an object could not be dealt with', { kind: resource.kind, error: errorText(error) })
    }
  }

  /** True when a newer version was reported: a connection may deliver an old one late. */
  const isStale = ({ metadata }: T, listed: string): boolean => {
    const version = Number(metadata.resourceVersion)
    const known = objects.get(keyText(metadata))?.metadata.resourceVersion
    return version <= Number(listed) || version < Number(known)
  }

  const relist = async (): Promise<string> => {
    const { items, resourceVersion } = await api.list(resource, selection)
    onContact()
    const gone = new Map(objects)
    for (const item of items) gone.delete(keyText(item.metadata))
    for (const object of gone.values()) report(object, 'gone')
    for (const item of items) report(item, 'present')
    synced.resolve()
    return resourceVersion
  }

  /** Resolves with the newest version seen when the server ends the watch. */
  const follow = async (from: string, listed: string, relistAt: number): Promise<string> => {
    const wanted = 240 + random() * 60
    const left = Math.max(1, (relistAt - clock.monotonic()) / 1_000)
    const timeoutSeconds = Math.ceil(Math.min(wanted, left))
    const ended = new AbortController()
    const signal = AbortSignal.any([stopping.signal, ended.signal])
    const started = clock.monotonic()
    let version = from
    try {
      const events = api.watch(resource, { ...selection, resourceVersion: from, timeoutSeconds }, signal)
      for await (const event of untilIdle(events, clock, stopping.signal)) {
        onContact()
        failures = 0
        const seen = event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion
        if (Number(seen) > Number(version)) version = seen ?? version
        if (event.type === 'BOOKMARK' || isStale(event.object, listed)) continue
        report(event.object, event.type === 'DELETED' ? 'gone' : 'present')
      }
    } finally {
      ended.abort()
    }
    if (!stopping.signal.aborted && clock.monotonic() - started < minWatchDuration && version === from)
      throw new KubeError(`watching ${resource.plural}: ended at once`, { status: 0, reason: 'Unreachable' })
    onContact()
    failures = 0
    return version
  }

  const failed = async (error: unknown): Promise<void> => {
    failures += 1
    const retryAfter = error instanceof KubeError ? (error.retryAfterMilliseconds ?? 0) : 0
    const expired = error instanceof KubeError && error.status === 410
    if (!expired) logger.warn('watch failed, listing again', { kind: resource.kind, error: errorText(error) })
    await clock.sleep(Math.max(retryAfter, backoffDelay(backoff, failures)), stopping.signal)
  }

  const run = async (): Promise<void> => {
    let version: string | undefined
    let listed = ''
    let relistAt = 0
    while (!stopping.signal.aborted) {
      try {
        if (version === undefined || clock.monotonic() >= relistAt) {
          listed = await relist()
          version = listed
          relistAt = clock.monotonic() + relistEvery * (0.9 + 0.2 * random())
        }
        version = await follow(version, listed, relistAt)
      } catch (error) {
        version = undefined
        if (!stopping.signal.aborted) await failed(error)
      }
    }
  }

  const running = run()
  return {
    synced: synced.promise,
    lastSync: () => clock.monotonic() - lastContactAt,
    async stop() {
      stopping.abort()
      await running
    },
  }
}

/** The events, until none comes for too long (then it rejects) or the signal aborts (then it ends). */
async function* untilIdle<T extends KubeObject>(
  events: AsyncIterable<WatchEvent<T>>,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<T>> {
  const iterator = events[Symbol.asyncIterator]()
  for (;;) {
    const waiting = new AbortController()
    const timeout = clock.sleep(idleTimeout, AbortSignal.any([waiting.signal, signal])).then(() => undefined)
    const next = iterator.next()
    const result = await Promise.race([next, timeout]).finally(() => waiting.abort())
    if (result === undefined) {
      next.catch(() => undefined)
      if (signal.aborted) return
      throw new KubeError('the watch fell silent', { status: 0, reason: 'Timeout' })
    }
    if (result.done === true) return
    yield result.value
  }
}
