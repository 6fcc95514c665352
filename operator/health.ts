/** `/livez`, `/readyz` and `/metrics` of the operator. */
import type { Registry } from 'prom-client'
import type { Clock } from '../bridge-runtime/core/clock.ts'
import { metricsPage, type Page, plainText, type Served, servePages } from '../bridge-runtime/observability/http.ts'

export interface HealthOptions {
  /** 0 chooses one. */
  readonly port: number
  /** Undefined: all addresses of this machine. */
  readonly host: string | undefined
  /** True once this replica leads and knows the objects, or stands by for one that does. */
  readonly ready: () => boolean
  readonly registry: Registry
  readonly clock: Clock
}

/** *Errors*: rejects when the port is taken. */
export function startHealthServer({ port, host, ready, registry, clock }: HealthOptions): Promise<Served> {
  const text = (status: number, body: string): Page => ({ status, type: plainText, body: `${body}\n` })
  return servePages({
    port,
    host,
    pages: new Map<string, () => Page | Promise<Page>>([
      ['/livez', () => text(200, 'ok')],
      ['/readyz', () => (ready() ? text(200, 'ok') : text(503, 'not synced yet'))],
      ['/metrics', metricsPage(registry, clock)],
    ]),
  })
}
