/** A watch over the store: past changes from the history, then new ones as they happen. */
import type { Clock } from '../../../bridge-runtime/core/clock.ts'
import type { KubeObject, Resource, WatchEvent, WatchOptions } from '../../kube/api.ts'
import { selects } from './selectors.ts'
import { expired } from './server-errors.ts'
import type { Change, Store } from './store.ts'

/** Milliseconds, as kube-apiserver does. */
const bookmarkEvery = 60_000

export interface WatchRequest {
  readonly resource: Resource
  readonly options: WatchOptions
  readonly signal: AbortSignal
}

/** An object that stops being selected is deleted, as far as this watch can see. */
function eventOf(
  { before, after }: Change,
  selected: (object: KubeObject) => boolean,
): WatchEvent<KubeObject> | undefined {
  const was = before !== undefined && selected(before)
  if (after !== undefined && selected(after)) return { type: was ? 'MODIFIED' : 'ADDED', object: after }
  if (before === undefined || !was) return undefined
  const version = (after ?? before).metadata.resourceVersion
  const metadata = version === undefined ? before.metadata : { ...before.metadata, resourceVersion: version }
  return { type: 'DELETED', object: { ...before, metadata } }
}

/** Resolves at the next change, at the end of the time, or when the signal aborts. */
async function nextChange(store: Store, clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
  const woken = new AbortController()
  const wake = (): void => woken.abort()
  const unsubscribe = store.onChange(wake)
  signal.addEventListener('abort', wake, { once: true })
  if (signal.aborted) wake()
  await clock.sleep(milliseconds, woken.signal)
  unsubscribe()
  signal.removeEventListener('abort', wake)
}

/** A bookmark a minute; ends after `timeoutSeconds` with one, or when the signal aborts. Rejects with 410 when the history is too short. */
export async function* watchStore<T extends KubeObject>(
  store: Store,
  clock: Clock,
  { resource, options, signal }: WatchRequest,
): AsyncGenerator<WatchEvent<T>> {
  const selected = selects(options)
  const end = clock.monotonic() + options.timeoutSeconds * 1_000
  let bookmarkAt = clock.monotonic() + bookmarkEvery
  let version = Number(options.resourceVersion)
  while (!signal.aborted) {
    const changes = store.changesSince(resource, version)
    if (changes === undefined) throw expired(options.resourceVersion)
    version = store.version
    for (const change of changes) {
      const event = eventOf(change, selected)
      if (event !== undefined && !signal.aborted) yield event as WatchEvent<T>
    }
    if (store.version > version) continue
    const now = clock.monotonic()
    if (now >= Math.min(end, bookmarkAt)) {
      yield { type: 'BOOKMARK', resourceVersion: String(version) }
      bookmarkAt = now + bookmarkEvery
    }
    if (now >= end) return
    await nextChange(store, clock, Math.min(end, bookmarkAt) - now, signal)
  }
}
