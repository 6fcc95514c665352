/**
 * Keys waiting for work. *Guarantees*: a key waits at most once; it is never handed out twice at the same time; added
 * while it is out, it is handed out once more afterwards; of several times to come the earliest counts.
 */
import type { Clock } from '../../bridge-runtime/core/clock.ts'
import { type Backoff, backoffDelay } from './backoff.ts'

export interface WorkQueue {
  /** Ready as soon as possible. */
  add(key: string): void
  /** Ready after the time, unless it is earlier already. */
  addAfter(key: string, milliseconds: number): void
  /** The next ready key; undefined when the queue was closed. */
  next(): Promise<string | undefined>
  /** The run of the key is over: its failures are forgotten on success, and it waits longer after each on failure. */
  done(key: string, result: 'ok' | 'failed'): void
  /** No more keys: `next` resolves with undefined. */
  close(): void
}

export function createWorkQueue(clock: Clock, backoff: Backoff): WorkQueue {
  /** Due, in order of arrival. */
  const ready = new Set<string>()
  /** Not due yet, or running: key → due time on the monotonic clock. */
  const later = new Map<string, number>()
  const running = new Set<string>()
  const failures = new Map<string, number>()
  const waiters: ((key: string | undefined) => void)[] = []
  let closed = false
  let timer = { at: Infinity, cancel: new AbortController() }

  const handOut = (): void => {
    for (const key of ready) {
      const resolve = waiters.shift()
      if (resolve === undefined) return
      ready.delete(key)
      running.add(key)
      resolve(key)
    }
  }

  const wakeAt = (at: number): void => {
    if (at >= timer.at) return
    timer.cancel.abort()
    const own = { at, cancel: new AbortController() }
    timer = own
    void clock.sleep(Math.max(0, at - clock.monotonic()), own.cancel.signal).then(() => {
      if (timer !== own || closed) return
      timer = { at: Infinity, cancel: new AbortController() }
      promoteDue()
    })
  }

  /** Moves what has become due to `ready` and sets the timer for the next. */
  const promoteDue = (): void => {
    const now = clock.monotonic()
    let earliest = Infinity
    for (const [key, at] of later) {
      if (running.has(key)) continue
      if (at > now) earliest = Math.min(earliest, at)
      else {
        later.delete(key)
        ready.add(key)
      }
    }
    wakeAt(earliest)
    handOut()
  }

  const schedule = (key: string, at: number): void => {
    if (closed || ready.has(key) || (later.get(key) ?? Infinity) <= at) return
    if (running.has(key) || at > clock.monotonic()) {
      later.set(key, at)
      if (!running.has(key)) wakeAt(at)
      return
    }
    later.delete(key)
    ready.add(key)
    handOut()
  }

  return {
    add: (key) => schedule(key, clock.monotonic()),
    addAfter: (key, milliseconds) => schedule(key, clock.monotonic() + milliseconds),
    next() {
      if (closed) return Promise.resolve(undefined)
      return new Promise((resolve) => {
        waiters.push(resolve)
        handOut()
      })
    },
    done(key, result) {
      if (!running.delete(key)) throw new Error(`work queue: ${key} was not handed out`)
      if (result === 'ok') failures.delete(key)
      else {
        const count = (failures.get(key) ?? 0) + 1
        failures.set(key, count)
        schedule(key, clock.monotonic() + backoffDelay(backoff, count))
      }
      promoteDue()
    },
    close() {
      closed = true
      timer.cancel.abort()
      for (const resolve of waiters.splice(0)) resolve(undefined)
    },
  }
}
