import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { KubeError } from '../api.ts'
import { type HttpRequest, open, readBody } from './http.ts'

/** A server that hands its answers to the test, and a client that keeps one connection. */
async function serve(t: TestContext) {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.headers.authorization}`)
    server.emit('asked', response)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => {
    agent.destroy()
    server.closeAllConnections()
    server.close()
  })
  const access = {
    server: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    namespace: undefined,
    connect: async (fresh: boolean) => ({ headers: { authorization: fresh ? 'new' : 'old' }, agent }),
    close: () => agent.destroy(),
  }
  const send = (request: Partial<HttpRequest>) =>
    open(access, { method: 'PUT', path: '/', purpose: 'testing', signal: AbortSignal.timeout(20_000), ...request })
  const asked = async (): Promise<ServerResponse> => (await once(server, 'asked'))[0] as ServerResponse
  return { seen, send, asked }
}

const refusal = new KubeError('this replica is not the leader', { status: 0, reason: 'NotLeader' })

test('a request that waits for a connection is refused when its permission has expired by the time it gets one', async (t) => {
  const { seen, send, asked } = await serve(t)
  let allowed = true
  const permit = (): void => {
    if (!allowed) throw refusal
  }
  const [first, second] = [send({ permit }), send({ permit })]
  const response = await asked()
  allowed = false
  response.end()
  await readBody(await first, { method: 'PUT', path: '/', purpose: 'testing', signal: AbortSignal.timeout(20_000) })
  await assert.rejects(second, refusal)
  assert.deepEqual(seen, ['PUT old'])
  allowed = true
  const third = send({ permit })
  ;(await asked()).end()
  assert.equal((await third).statusCode, 200)
})

test('a request that is repeated with another token needs the permission again', async (t) => {
  const { seen, send, asked } = await serve(t)
  let left = 1
  const permit = (): void => {
    if (left-- === 0) throw refusal
  }
  const sent = send({ permit })
  ;(await asked()).writeHead(401).end()
  await assert.rejects(sent, refusal)
  assert.deepEqual(seen, ['PUT old'])
})
