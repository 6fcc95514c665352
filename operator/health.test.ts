import assert from 'node:assert/strict'
import test from 'node:test'
import { startHealthServer } from './health.ts'
import { fakeClock } from '../test/support/fake-clock.ts'
import { fuzz, get } from '../test/support/hostile-requests.ts'
import { createMetrics } from './metrics.ts'
import { aRunningBridge } from '../test/support/operator-world.ts'

test('liveness, readiness and metrics are served', async () => {
  const metrics = createMetrics(() => new Map([['Pod', 3]]))
  let ready = false
  const clock = fakeClock()
  const server = await startHealthServer({
    port: 0,
    host: '127.0.0.1',
    ready: () => ready,
    registry: metrics.registry,
    clock,
  })
  const get = async (path: string): Promise<[number, string]> => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`)
    return [response.status, await response.text()]
  }
  metrics.ran('after', 0.2)
  const world = await aRunningBridge('orders')
  const status = (await world.get('orders'))?.status
  assert.ok(status)
  metrics.planned('shop/orders', {
    finalizers: undefined,
    apply: [],
    remove: [],
    status,
    events: [],
    next: 1,
    reread: false,
    unreadSince: undefined,
    memory: undefined,
  })
  try {
    assert.equal((await get('/livez'))[0], 200)
    assert.equal((await get('/readyz'))[0], 503)
    ready = true
    assert.equal((await get('/readyz'))[0], 200)
    assert.equal((await get('/else'))[0], 404)
    const [, text] = await get('/metrics')
    assert.match(text, /streambridge_operator_reconcile_total\{result="after"\} 1/)
    assert.match(text, /streambridge_operator_watch_last_list_seconds\{kind="Pod"\} 3/)
    assert.match(text, /streambridge_operator_resources\{phase="Running"\} 1/)
    assert.match(text, /streambridge_operator_desired_replicas\{namespace="shop",name="orders"\} 1/)
    metrics.planned('shop/orders', undefined)
    assert.equal((await get('/metrics'))[1], text)
    await clock.advance(1_000)
    assert.doesNotMatch((await get('/metrics'))[1], /desired_replicas\{/)
  } finally {
    await server.close()
  }
})

test('no request, header or body ends the server', async (t) => {
  const { registry } = createMetrics(() => new Map())
  const server = await startHealthServer({
    port: 0,
    host: '127.0.0.1',
    ready: () => true,
    registry,
    clock: fakeClock(),
  })
  t.after(() => server.close())
  for (const target of ['//', 'http://[', '*', '/__proto__']) {
    await get(server.port, target)
    assert.equal(await get(server.port, '/livez'), 200)
  }
  await fuzz(server.port, 16, 300)
})
