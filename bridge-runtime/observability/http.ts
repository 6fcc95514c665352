import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Verdict } from './health.ts'

export interface Answers {
  livez(): Verdict
  readyz(): Verdict
  metrics(): Promise<string>
  /** Answered as JSON. */
  status(): unknown
}

const plain = 'text/plain; charset=utf-8'

async function answer(path: string, answers: Answers, response: ServerResponse): Promise<void> {
  const send = (code: number, type: string, body: string): void =>
    void response.writeHead(code, { 'content-type': type }).end(body)
  const verdict = ({ ok, message }: Verdict): void => send(ok ? 200 : 503, plain, `${message}\n`)
  switch (path) {
    case '/startup':
      return send(200, plain, 'ok\n')
    case '/livez':
      return verdict(answers.livez())
    case '/readyz':
      return verdict(answers.readyz())
    case '/metrics':
      return send(200, 'text/plain; version=0.0.4; charset=utf-8', await answers.metrics())
    case '/status':
      return send(200, 'application/json', JSON.stringify(answers.status()))
    default:
      return send(404, plain, 'try /livez, /readyz, /metrics or /status\n')
  }
}

/** Serves the endpoints; `/startup` says only that the process is up. Port 0 chooses a free one. Rejects when the port is taken. */
export async function serve(
  port: number,
  answers: Answers,
): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    answer(path, answers, response).catch(() =>
      response.writeHead(500, { 'content-type': plain }).end('internal error\n'),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, resolve)
  })
  return { port: (server.address() as AddressInfo).port, server }
}
