/**
 * How much a subscription holds, as Cloud Monitoring says it. Its figures are minutes late, cost quota, and are missing now
 * and then; what is missing is unknown, never zero.
 */
import type { Clock } from '../../../core/clock.ts'
import { AnswerTooLarge, boundedBody } from '../../requests/bounded-body.ts'

export interface BacklogOptions {
  readonly projectID: string
  /** The id alone. */
  readonly subscription: string
  /** Headers with a token for Cloud Monitoring. Rejects where there is none. */
  headers(url: string): Promise<Headers>
  fetch(this: void, url: string, init: RequestInit): Promise<Response>
  readonly clock: Clock
  /** Default: the service's own. */
  readonly url?: string
}

export type Backlog =
  | { readonly kind: 'known'; readonly records: number; readonly seconds: number }
  | { readonly kind: 'unknown'; readonly reason: string }

const metrics = ['num_undelivered_messages', 'oldest_unacked_message_age'] as const
/** Milliseconds of the past in which a figure must be to count. */
const window = 10 * 60_000
/** Milliseconds between two looks. */
export const lookInterval = 60_000
const timeout = 20_000
/** Bytes. Ten points of each time series take less than 4 KB. */
const largestAnswer = 2 ** 20

/** Asks once. Never rejects. */
export async function askBacklog(options: BacklogOptions, signal: AbortSignal): Promise<Backlog> {
  try {
    const [records, seconds] = await Promise.all(metrics.map((metric) => newest(metric, options, signal)))
    if (records === undefined) return unknown('Cloud Monitoring has no figures of the last 10 minutes')
    return { kind: 'known', records, seconds: records === 0 ? 0 : (seconds ?? 0) }
  } catch (thrown) {
    return unknown(
      thrown instanceof Refused || thrown instanceof AnswerTooLarge
        ? thrown.message
        : 'Cloud Monitoring cannot be asked: no usable credentials or no connection',
    )
  }
}

class Refused extends Error {}

const unknown = (reason: string): Backlog => ({ kind: 'unknown', reason })

async function newest(
  metric: (typeof metrics)[number],
  { projectID, subscription, clock, url = 'https://monitoring.googleapis.com', ...ask }: BacklogOptions,
  signal: AbortSignal,
): Promise<number | undefined> {
  const now = clock.now()
  const query = new URLSearchParams({
    filter: `metric.type="pubsub.googleapis.com/subscription/${metric}" AND resource.labels.subscription_id="${subscription}"`,
    'interval.startTime': new Date(now - window).toISOString(),
    'interval.endTime': new Date(now).toISOString(),
  })
  const address = `${url}/v3/projects/${encodeURIComponent(projectID)}/timeSeries?${query.toString()}`
  const answer = await ask.fetch(address, {
    headers: await ask.headers(address),
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
  })
  if (answer.status === 403)
    throw new Refused('the credentials lack monitoring.timeSeries.list; grant roles/monitoring.viewer on the project')
  if (!answer.ok) throw new Refused(`Cloud Monitoring answers with status ${answer.status}`)
  const points = newestPoints(await json(answer))
  if (points.length === 0) return undefined
  return metric === 'num_undelivered_messages' ? points.reduce((sum, point) => sum + point, 0) : Math.max(...points)
}

/** Undefined without a body. */
const json = async ({ body }: Response): Promise<unknown> =>
  body === null ? undefined : JSON.parse((await boundedBody(body, largestAnswer)).toString('utf8'))

/** The newest value of each time series: the service lists them newest first. */
function newestPoints(answer: unknown): number[] {
  const { timeSeries } = Object(answer) as { readonly timeSeries?: unknown }
  if (!Array.isArray(timeSeries)) return []
  return timeSeries.flatMap((series: { points?: { value?: { int64Value?: string; doubleValue?: number } }[] }) => {
    const value = series.points?.[0]?.value
    const figure = Number(value?.int64Value ?? value?.doubleValue)
    return Number.isFinite(figure) && figure >= 0 ? [figure] : []
  })
}
