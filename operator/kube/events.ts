/** Records Events, which `kubectl describe` shows. Never fails or delays its caller. */
import type { Clock } from '../../bridge-runtime/core/clock.ts'
import { errorText, type Logger } from '../../bridge-runtime/observability/logger.ts'
import type { KubeApi, KubeObject } from './api.ts'
import { type EventObject, events } from './resources.ts'
import { clip } from './format/text.ts'
import { microTime } from './format/time.ts'

export interface Notice {
  /** What it is about. */
  readonly regarding: KubeObject
  readonly type: 'Normal' | 'Warning'
  /** A stable word for machines, `ScaledUp`. */
  readonly reason: string
  /** A sentence for people, without secrets. */
  readonly message: string
  /** What was done, a stable word. Default: the reason. */
  readonly action?: string
}

export interface EventRecorder {
  /** Repetitions of a notice within ten minutes become a count on the first Event. */
  record(notice: Notice): void
  /** Resolves when what was recorded is written, or given up. */
  flush(): Promise<void>
}

export interface EventRecorderOptions {
  readonly api: KubeApi
  readonly clock: Clock
  readonly logger: Logger
  /** The name of this controller, `streambridge-operator`. */
  readonly controller: string
  /** This replica. */
  readonly instance: string
}

/** Milliseconds within which the same notice is counted instead of written again. */
const sameNotice = 600_000
/** Events for one object: so many at once, then one in half a minute. */
const burst = 20
const refillMilliseconds = 30_000
/** Notices waiting to be written; more are dropped: they would only add to the load of a slow API server. */
const maxBacklog = 200
/** Remembered notices and objects; the oldest go first. */
const maxRemembered = 5_000

interface Series {
  readonly event: EventObject
  count: number
  lastAt: number
}

interface TokenBucket {
  tokens: number
  at: number
}

function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key)
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > maxRemembered && oldest !== undefined) map.delete(oldest)
}

export function createEventRecorder({ api, clock, logger, controller, instance }: EventRecorderOptions): EventRecorder {
  const series = new Map<string, Series>()
  const tokenBuckets = new Map<string, TokenBucket>()
  let backlog = 0
  let made = 0
  let writing = Promise.resolve()

  const allowed = (id: string): boolean => {
    const now = clock.monotonic()
    const { tokens, at } = tokenBuckets.get(id) ?? { tokens: burst, at: now }
    const filled = Math.min(burst, tokens + (now - at) / refillMilliseconds)
    remember(tokenBuckets, id, { tokens: filled >= 1 ? filled - 1 : filled, at: now })
    return filled >= 1
  }

  const firstOf = ({ regarding, type, reason, message, action = reason }: Notice): EventObject => {
    const { apiVersion, kind, metadata } = regarding
    const { name, namespace = 'default', uid } = metadata
    // Unique as long as one process makes fewer than a million Events a second.
    const sequence = (BigInt(Math.floor(clock.now())) * 1_000_000n + BigInt(made++)).toString(16)
    return {
      apiVersion: events.apiVersion,
      kind: events.kind,
      // Names of Events must be new each time; ending and length are as Kubernetes' own recorders make them.
      metadata: { name: `${name.slice(0, 200)}.${sequence}`, namespace },
      eventTime: microTime(clock.now()),
      reportingController: controller,
      reportingInstance: instance.slice(0, 128),
      action: action.slice(0, 128),
      type,
      reason: reason.slice(0, 128),
      note: clip(message),
      regarding: { apiVersion, kind, namespace, name, ...(uid === undefined ? {} : { uid }) },
    }
  }

  /** The Event to write: a new one, or the earlier one with its count. */
  const eventFor = (notice: Notice): EventObject => {
    const { regarding, type, reason, message } = notice
    const id = JSON.stringify([regarding.metadata.uid, regarding.metadata.name, type, reason, message])
    const known = series.get(id)
    if (known === undefined || clock.monotonic() - known.lastAt > sameNotice) {
      const event = firstOf(notice)
      remember(series, id, { event, count: 1, lastAt: clock.monotonic() })
      return event
    }
    known.count += 1
    known.lastAt = clock.monotonic()
    return { ...known.event, series: { count: known.count, lastObservedTime: microTime(clock.now()) } }
  }

  const write = async (event: EventObject): Promise<void> => {
    try {
      await api.apply(events, event)
    } catch (error) {
      logger.debug('an Event could not be written', { reason: event.reason, error: errorText(error) })
    }
    backlog -= 1
  }

  return {
    record(notice) {
      const { uid, namespace, name } = notice.regarding.metadata
      if (backlog >= maxBacklog || !allowed(uid ?? `${namespace}/${name}`)) return
      const event = eventFor(notice)
      backlog += 1
      writing = writing.then(() => write(event))
    },
    flush: () => writing,
  }
}
