/** What a replica answers over HTTP. */
import type { Clock } from '../core/clock.ts'
import type { Verdict } from './health.ts'
import { metricsPage, type Page, plainText, type Served, servePages, shared } from './http.ts'

export interface Answers {
  livez(): Verdict
  readyz(): Verdict
  readonly metrics: Parameters<typeof metricsPage>[0]
  /** Answered as JSON. */
  status(): unknown
}

export interface EndpointsOptions {
  /** 0 chooses a free one. */
  readonly port: number
  /** Undefined: all addresses of this machine. */
  readonly host: string | undefined
  readonly clock: Clock
  readonly answers: Answers
}

/** Milliseconds: a report of thousands of partitions is not made for each of those who ask at once. */
const freshStatus = 50

const verdict = ({ ok, message }: Verdict): Page => ({ status: ok ? 200 : 503, type: plainText, body: `${message}\n` })

/** Serves them; `/startup` says only that the process is up. *Errors*: rejects when the port is taken. */
export function serveEndpoints({ port, host, clock, answers }: EndpointsOptions): Promise<Served> {
  return servePages({
    port,
    host,
    pages: new Map<string, () => Page | Promise<Page>>([
      ['/startup', () => ({ status: 200, type: plainText, body: 'ok\n' })],
      ['/livez', () => verdict(answers.livez())],
      ['/readyz', () => verdict(answers.readyz())],
      ['/metrics', metricsPage(answers.metrics, clock)],
      [
        '/status',
        shared(freshStatus, clock, () => ({
          status: 200,
          type: 'application/json',
          body: Buffer.from(JSON.stringify(answers.status())),
        })),
      ],
    ]),
  })
}
