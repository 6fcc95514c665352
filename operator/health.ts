/** `/livez`, `/readyz` and `/metrics` of the operator. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Registry } from 'prom-client'

export interface HealthServer {
  readonly port: number
  close(): Promise<void>
}

export interface HealthOptions {
  /** 0 chooses one. */
  readonly port: number
  /** True once this replica leads and knows the objects, or stands by for one that does. */
  readonly ready: () => boolean
  readonly registry: Registry
}

/** *Errors*: rejects when the port is taken. */
export async function startHealthServer({ port, ready, registry }: HealthOptions): Promise<HealthServer> {
  const pages: Readonly<Record<string, () => Promise<[number, string]>>> = {
    '/livez': async () => [200, 'ok\n'],
    '/readyz': async () => (ready() ? [200, 'ok\n'] : [503, 'not synced yet\n']),
    '/metrics': async () => [200, await registry.metrics()],
  }
  const server = createServer((request, response) => {
    const page = pages[new URL(request.url ?? '/', 'http://operator').pathname]
    const answer = page?.() ?? Promise.resolve<[number, string]>([404, 'not found\n'])
    void answer
      .catch((): [number, string] => [500, 'failed\n'])
      .then(([status, text]) => response.writeHead(status, { 'content-type': registry.contentType }).end(text))
  })
  server.listen(port)
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve)
    server.once('error', reject)
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
