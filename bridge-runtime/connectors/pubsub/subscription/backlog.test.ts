import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { type TestContext, test } from 'node:test'
import { realClock } from '../../../core/clock.ts'
import { askBacklog, type Backlog } from './backlog.ts'

interface Asked {
  readonly url: URL
  readonly authorization: string | undefined
}

/** Asks a server that answers in place of Cloud Monitoring: by metric, the newest values of the time series. */
async function ask(
  t: TestContext,
  series: Readonly<Record<string, readonly unknown[]>>,
  status = 200,
): Promise<{ readonly backlog: Backlog; readonly asked: readonly Asked[] }> {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://localhost')
    asked.push({ url, authorization: request.headers.authorization })
    const metric = /subscription\/(\w+)"/.exec(url.searchParams.get('filter') ?? '')?.[1] ?? ''
    response.writeHead(status, { 'content-type': 'application/json' })
    const timeSeries = (series[metric] ?? []).map((value) => ({
      points: [{ value }, { value: { int64Value: '999' } }],
    }))
    response.end(JSON.stringify(timeSeries.length === 0 ? {} : { timeSeries }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const address = server.address()
  const backlog = await askBacklog(
    {
      projectID: 'p',
      subscription: 'orders',
      headers: async () => new Headers({ authorization: 'Bearer token' }),
      fetch,
      clock: realClock,
      url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    },
    new AbortController().signal,
  )
  return { backlog, asked }
}

test('the newest figures of all series make the backlog', async (t) => {
  const { backlog, asked } = await ask(t, {
    num_undelivered_messages: [{ int64Value: '40' }, { int64Value: '2' }],
    oldest_unacked_message_age: [{ int64Value: '7' }, { int64Value: '90' }],
  })
  assert.deepEqual(backlog, { kind: 'known', records: 42, seconds: 90 })
  assert.equal(asked.length, 2)
  for (const { url, authorization } of asked) {
    assert.equal(url.pathname, '/v3/projects/p/timeSeries')
    assert.match(url.searchParams.get('filter') ?? '', /resource\.labels\.subscription_id="orders"/)
    assert.equal(authorization, 'Bearer token')
  }
})

test('an empty subscription has no backlog, whatever age it had', async (t) => {
  const { backlog } = await ask(t, { num_undelivered_messages: [{ int64Value: '0' }] })
  assert.deepEqual(backlog, { kind: 'known', records: 0, seconds: 0 })
})

test('missing figures are unknown, never zero', async (t) => {
  const { backlog } = await ask(t, {})
  assert.equal(backlog.kind, 'unknown')
})

test('a missing right says which', async (t) => {
  const { backlog } = await ask(t, {}, 403)
  assert.ok(backlog.kind === 'unknown')
  assert.match(backlog.reason, /monitoring\.timeSeries\.list; grant roles\/monitoring\.viewer/)
})

test('without credentials or connection it is unknown, and nothing of the cause is told', async () => {
  const backlog = await askBacklog(
    {
      projectID: 'p',
      subscription: 's',
      headers: () => Promise.reject(new Error('secret-canary')),
      fetch,
      clock: realClock,
    },
    new AbortController().signal,
  )
  assert.ok(backlog.kind === 'unknown' && !backlog.reason.includes('canary'))
})

test('an answer without end is cut off, and the backlog unknown', async () => {
  let sent = 0
  const endless = (): ReadableStream<Uint8Array> =>
    new ReadableStream({
      pull(controller) {
        sent += 65_536
        controller.enqueue(new Uint8Array(65_536).fill(0x20))
      },
    })
  const backlog = await askBacklog(
    {
      projectID: 'p',
      subscription: 's',
      headers: async () => new Headers(),
      fetch: async () => new Response(endless()),
      clock: realClock,
    },
    new AbortController().signal,
  )
  assert.ok(backlog.kind === 'unknown' && /more than \d+ bytes/.test(backlog.reason), JSON.stringify(backlog))
  assert.ok(sent < 16_000_000)
})
