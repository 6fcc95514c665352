import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, Agent, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { realClock } from '../../../bridge-runtime/core/clock.ts'
import { KubeError, type WatchEvent } from '../api.ts'
import { createKubeClient, type KubeClientOptions } from './client.ts'
import type { ClusterAccess } from './cluster-access.ts'
import { type ConfigMap, configMaps } from '../resources.ts'

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

interface Served {
  readonly client: ReturnType<typeof createKubeClient>
  readonly requests: string[]
  readonly closeIdleConnections: () => void
}

/** A client of a server that answers as told: the n-th answer to the n-th request, the last one ever after. */
async function serve(
  t: TestContext,
  answers: readonly Answer[],
  options: Partial<KubeClientOptions> = {},
): Promise<Served> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    const answer = answers[Math.min(requests.length, answers.length - 1)]
    requests.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`.trim())
    let body = ''
    request.on('data', (chunk) => (body += String(chunk)))
    request.on('end', () => answer?.(request, response, body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const agent = new Agent({ keepAlive: true })
  t.after(() => {
    agent.destroy()
    server.closeAllConnections()
    server.close()
  })
  const access: ClusterAccess = {
    server: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    namespace: undefined,
    connect: async (fresh) => ({ headers: { authorization: fresh ? 'Bearer new' : 'Bearer old' }, agent }),
    close: () => agent.destroy(),
  }
  const client = createKubeClient({ access, clock: realClock, ...options })
  return { client, requests, closeIdleConnections: () => server.closeIdleConnections() }
}

const json =
  (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Answer =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify(body))
  }

const hang: Answer = () => undefined

const key = { namespace: 'shop', name: 'a' }
const stored = {
  metadata: { name: 'a', namespace: 'shop', resourceVersion: '5', managedFields: [{ manager: 'x' }] },
  data: { k: 'v' },
}
const busy = { kind: 'Status', reason: 'TooManyRequests', message: 'too many requests', code: 429 }

const failure = (status: number, reason: string, message?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof KubeError, String(error))
  assert.deepEqual([error.status, error.reason], [status, reason], error.message)
  if (message !== undefined) assert.match(error.message, message)
  return true
}

test('an object says what it is and carries no managed fields', async (t) => {
  const { client, requests } = await serve(t, [json(200, stored)])
  assert.deepEqual(await client.get(configMaps, key), {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', namespace: 'shop', resourceVersion: '5' },
    data: { k: 'v' },
  })
  assert.deepEqual(requests, ['GET /api/v1/namespaces/shop/configmaps/a Bearer old'])
})

test('a server that is busy is asked again when it says', async (t) => {
  const { client, requests } = await serve(t, [
    json(429, busy, { 'retry-after': '0' }),
    json(503, {}, { 'retry-after': '0' }),
    json(200, stored),
  ])
  assert.equal((await client.get(configMaps, key))?.data?.['k'], 'v')
  assert.equal(requests.length, 3)
})

test('a Retry-After beyond the limit is left to the caller', async (t) => {
  const { client, requests } = await serve(t, [json(429, busy, { 'retry-after': '60' })])
  await assert.rejects(client.get(configMaps, key), (error) => {
    failure(429, 'TooManyRequests', /^too many requests$/)(error)
    return error instanceof KubeError && error.retryAfterMilliseconds === 60_000
  })
  assert.equal(requests.length, 1)
})

test('without permission nothing is written, and reading goes on', async (t) => {
  const { client, requests } = await serve(t, [json(200, stored)], { mayWrite: () => false })
  const map = { ...stored, apiVersion: 'v1', kind: 'ConfigMap' }
  await assert.rejects(client.apply(configMaps, map), failure(0, 'NotLeader'))
  assert.ok((await client.get(configMaps, key)) !== undefined)
  assert.equal(requests.length, 1)
})

test('an error of the server is not repeated', async (t) => {
  const { client, requests } = await serve(t, [json(500, { kind: 'Status', reason: 'InternalError', message: 'boom' })])
  await assert.rejects(
    client.apply(configMaps, { ...stored, apiVersion: 'v1', kind: 'ConfigMap' }),
    failure(500, 'InternalError', /^boom$/),
  )
  assert.equal(requests.length, 1)
})

test('the error of a proxy names the request', async (t) => {
  const proxy: Answer = (_request, response) => response.writeHead(502).end('<html>bad gateway</html>')
  const { client } = await serve(t, [proxy])
  await assert.rejects(client.get(configMaps, key), failure(502, 'Unknown', /reading ConfigMap shop\/a: .*502/))
})

test('a server that never answers ends at the deadline', async (t) => {
  const { client } = await serve(t, [hang], { deadline: 100 })
  await assert.rejects(
    client.get(configMaps, key),
    failure(0, 'Timeout', /reading ConfigMap shop\/a: .*no answer in time/),
  )
})

test('a server that stops within its answer ends at the deadline', async (t) => {
  const { client } = await serve(t, [(_request, response) => response.writeHead(200).write('{"meta')], {
    deadline: 100,
  })
  await assert.rejects(client.get(configMaps, key), failure(0, 'Timeout'))
})

test('a server that is not there is unreachable', async () => {
  const access = {
    server: new URL('http://127.0.0.1:1'),
    namespace: undefined,
    connect: async () => ({ headers: {}, agent: new Agent() }),
    close() {},
  }
  const client = createKubeClient({ access, clock: realClock })
  await assert.rejects(client.list(configMaps), failure(0, 'Unreachable', /listing configmaps: .*ECONNREFUSED/))
})

test('a refused token is read again, once', async (t) => {
  const unauthorized = json(401, { kind: 'Status', reason: 'Unauthorized', message: 'Unauthorized', code: 401 })
  const { client, requests } = await serve(t, [unauthorized, json(200, stored)])
  assert.ok((await client.get(configMaps, key)) !== undefined)
  assert.deepEqual(
    requests.map((request) => request.split(' ').at(-1)),
    ['old', 'new'],
  )
  const refused = await serve(t, [unauthorized])
  await assert.rejects(refused.client.get(configMaps, key), failure(401, 'Unauthorized'))
  assert.equal(refused.requests.length, 2)
})

test('an idle connection that was closed is replaced without an error', async (t) => {
  const { client, closeIdleConnections } = await serve(t, [json(200, stored)])
  for (let n = 0; n < 5; n++) {
    assert.ok((await client.get(configMaps, key)) !== undefined)
    closeIdleConnections()
  }
})

test('a list is read to its last page, and again when a page has expired', async (t) => {
  const page = (name: string, next: string) =>
    json(200, { metadata: { resourceVersion: '9', continue: next }, items: [{ metadata: { name } }] })
  const expired = json(410, { kind: 'Status', reason: 'Expired', message: 'continue is too old', code: 410 })
  const { client, requests } = await serve(t, [page('a', 'more'), expired, page('a', 'more'), page('b', '')])
  const { items, resourceVersion } = await client.list(configMaps, { labelSelector: 'app=x' })
  assert.deepEqual([items.map(({ metadata }) => metadata.name), resourceVersion], [['a', 'b'], '9'])
  assert.match(requests[3] ?? '', /labelSelector=app%3Dx&limit=500&continue=more/)
})

test('an apply is a forced server-side apply of our fields', async (t) => {
  const seen: (string | undefined)[] = []
  const { client, requests } = await serve(t, [
    (request, response, body) => {
      seen.push(request.headers['content-type'], body)
      json(200, stored)(request, response, body)
    },
  ])
  await client.applyStatus(configMaps, { ...stored, apiVersion: '', kind: '' })
  assert.match(requests[0] ?? '', /^PATCH .*\/configmaps\/a\/status\?fieldManager=streambridge&force=true /)
  assert.equal(seen[0], 'application/apply-patch+yaml')
  assert.deepEqual([JSON.parse(seen[1] ?? '').apiVersion, JSON.parse(seen[1] ?? '').kind], ['v1', 'ConfigMap'])
})

test('finalizers are set alone, on condition of what was read', async (t) => {
  const seen: (string | undefined)[] = []
  const { client } = await serve(t, [
    (request, response, body) => {
      seen.push(request.method, request.headers['content-type'], body)
      json(200, stored)(request, response, body)
    },
  ])
  const metadata = { ...key, uid: 'u', resourceVersion: '7', labels: { app: 'x' } }
  await client.setFinalizers(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata }, ['a/b'])
  assert.deepEqual(seen.slice(0, 2), ['PATCH', 'application/merge-patch+json'])
  assert.deepEqual(JSON.parse(seen[2] ?? ''), { metadata: { uid: 'u', resourceVersion: '7', finalizers: ['a/b'] } })
})

test('a deletion carries its preconditions, and 404 is success', async (t) => {
  let sent = ''
  const { client } = await serve(t, [
    (request, response, body) => {
      sent = body
      json(404, { kind: 'Status', reason: 'NotFound', message: 'not found', code: 404 })(request, response, body)
    },
  ])
  await client.remove(configMaps, key, { uid: 'u', resourceVersion: '7' })
  const { preconditions, propagationPolicy } = JSON.parse(sent) as Readonly<Record<string, unknown>>
  assert.deepEqual([preconditions, propagationPolicy], [{ uid: 'u', resourceVersion: '7' }, 'Background'])
})

test('a key that does not fit the kind is refused before anything is sent', async (t) => {
  const { client, requests } = await serve(t, [json(200, stored)])
  await assert.rejects(client.get(configMaps, { name: 'a' }), failure(400, 'BadRequest', /namespace is required/))
  await assert.rejects(
    client.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }),
    failure(400, 'BadRequest'),
  )
  await assert.rejects(
    client.replace(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: key }),
    failure(400, 'BadRequest', /resourceVersion/),
  )
  assert.deepEqual(requests, [])
})

const watchOptions = { namespace: 'shop', resourceVersion: '5', timeoutSeconds: 60 }

async function drain(client: Served['client'], seen: WatchEvent<ConfigMap>[] = []): Promise<WatchEvent<ConfigMap>[]> {
  for await (const event of client.watch(configMaps, watchOptions, new AbortController().signal)) seen.push(event)
  return seen
}

test('events arrive whole, however they were cut on the way', async (t) => {
  const event = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`
  const text = Buffer.from(
    event('ADDED', { ...stored, data: { k: 'größer' } }) +
      event('BOOKMARK', { metadata: { resourceVersion: '8' } }) +
      event('DELETED', stored),
  )
  const cut: Answer = (_request, response) => {
    response.writeHead(200)
    const send = (from: number): void => {
      if (from >= text.length) return void response.end()
      response.write(text.subarray(from, from + 7), () => setImmediate(send, from + 7))
    }
    send(0)
  }
  const { client, requests } = await serve(t, [cut])
  const seen = await drain(client)
  assert.deepEqual(
    seen.map(({ type }) => type),
    ['ADDED', 'BOOKMARK', 'DELETED'],
  )
  assert.ok(seen[0]?.type === 'ADDED' && seen[0].object.data?.['k'] === 'größer' && seen[0].object.kind === 'ConfigMap')
  assert.ok(seen[1]?.type === 'BOOKMARK' && seen[1].resourceVersion === '8')
  assert.match(requests[0] ?? '', /watch=1&allowWatchBookmarks=true&resourceVersion=5&timeoutSeconds=60/)
})

test('a version that is too old is 410, in the head of the answer or in an event', async (t) => {
  const status = { kind: 'Status', reason: 'Expired', message: 'too old resource version', code: 410 }
  const inEvent: Answer = (_request, response) => response.end(`${JSON.stringify({ type: 'ERROR', object: status })}\n`)
  for (const answer of [json(410, status), inEvent]) {
    const { client } = await serve(t, [answer])
    await assert.rejects(drain(client), failure(410, 'Expired', /too old resource version/))
  }
})

test('a watch that falls silent is given up', async (t) => {
  const silent: Answer = (_request, response) =>
    response.writeHead(200).write(`${JSON.stringify({ type: 'ADDED', object: stored })}\n`)
  const { client } = await serve(t, [silent], { watchIdleTimeout: 100 })
  const seen: WatchEvent<ConfigMap>[] = []
  await assert.rejects(drain(client, seen), failure(0, 'Timeout', /watching configmaps: .*silent/))
  assert.equal(seen.length, 1)
})

test('a watch whose head never comes is given up', async (t) => {
  const { client } = await serve(t, [hang], { deadline: 100 })
  await assert.rejects(drain(client), failure(0, 'Timeout'))
})

test('a watch that breaks within an event is an error, one that ends between events is not', async (t) => {
  const torn = await serve(t, [(_request, response) => response.writeHead(200).end('{"type":"ADD')])
  await assert.rejects(drain(torn.client), failure(0, 'Unreachable', /within an event/))
  const whole = await serve(t, [(_request, response) => response.writeHead(200).end()])
  assert.deepEqual(await drain(whole.client), [])
})
