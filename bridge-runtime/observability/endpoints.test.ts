import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { dial, exchange, fuzz, get, statusOf } from '../../test/support/hostile-requests.ts'
import { fakeClock } from '../../test/support/fake-clock.ts'
import { serveEndpoints } from './endpoints.ts'
import { servePages, shared } from './http.ts'

/** A server whose metrics are so large, new with each rendering. */
async function started(t: TestContext, size = 10) {
  let renderings = 0
  const ok = { ok: true, message: 'ok' }
  const clock = fakeClock()
  const server = await serveEndpoints({
    port: 0,
    host: '127.0.0.1',
    clock,
    answers: {
      livez: () => ok,
      readyz: () => ({ ok: false, message: 'not connected: sink' }),
      metrics: {
        contentType: 'text/plain; version=0.0.4',
        metrics: () => Promise.resolve('x'.repeat(size) + String((renderings += 1))),
      },
      status: () => ({ version: '1' }),
    },
  })
  t.after(() => server.close())
  return { port: server.port, clock, renderings: () => renderings }
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes that are held once all rubbish is gone. */
function held(): number {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const manyRequests = 'GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2_000)

test('every page is served, and nothing but pages', async (t) => {
  const { port } = await started(t)
  assert.deepEqual(
    await Promise.all(
      ['/startup', '/livez', '/readyz', '/metrics', '/status?x', '/else'].map((path) => get(port, path)),
    ),
    [200, 200, 503, 200, 200, 404],
  )
  assert.equal(statusOf(await exchange(port, 'POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n')), 405)
  const response = await fetch(`http://127.0.0.1:${port}/status`)
  assert.deepEqual(
    [response.headers.get('content-type'), await response.json()],
    ['application/json', { version: '1' }],
  )
})

test('no request, header or body ends the server', async (t) => {
  const { port } = await started(t)
  for (const target of ['//', 'http://[', '*', '/__proto__', '/'.repeat(100_000), ' '.repeat(100_000)]) {
    await get(port, target)
    assert.equal(await get(port, '/livez'), 200)
  }
  await fuzz(port, 16, 300)
})

test('metrics are rendered at most once a second, for all who ask', async (t) => {
  const { port, clock, renderings } = await started(t)
  const statuses = await Promise.all(Array.from({ length: 20 }, () => get(port, '/metrics')))
  assert.deepEqual([new Set(statuses), renderings()], [new Set([200]), 1])
  await clock.advance(999)
  await get(port, '/metrics')
  assert.equal(renderings(), 1)
  await clock.advance(1)
  await get(port, '/metrics')
  assert.equal(renderings(), 2)
})

test('of requests that are sent without awaiting an answer not more than one is answered', async (t) => {
  const { port } = await started(t, 70_000)
  const answers = await exchange(port, manyRequests)
  assert.ok(answers.length < 2 * 70_000, `${answers.length} bytes came back`)
  assert.equal(await get(port, '/livez'), 200)
})

test('clients that ask and never read hold up nobody, and take no memory each', async (t) => {
  const size = 4 * 2 ** 20
  const { port } = await started(t, size)
  const before = held()
  const deaf = Array.from({ length: 50 }, (_, index) => {
    const socket = dial(port)
    socket.pause()
    socket.write(index % 2 === 0 ? manyRequests : 'GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n')
    return socket
  })
  assert.equal(await get(port, '/livez'), 200)
  const grown = held() - before
  assert.ok(grown < 4 * size, `grew by ${(grown / 2 ** 20).toFixed(0)} MiB`)
  for (const socket of deaf) socket.destroy()
})

test('who holds on to connections keeps nobody out: the oldest is ended', async (t) => {
  const page = () => ({ status: 200, type: 'text/plain', body: 'ok\n' })
  const limits = { connections: 4 }
  const server = await servePages({ port: 0, host: '127.0.0.1', pages: new Map([['/livez', page]]), limits })
  t.after(() => server.close())
  const first = dial(server.port)
  first.resume()
  const ended = once(first, 'close')
  for (let more = 0; more < 10; more += 1) dial(server.port).resume()
  await ended
  assert.equal(await get(server.port, '/livez'), 200)
})

test('a connection is cut off in the end, whether it writes, reads or does nothing', async (t) => {
  const page = () => ({ status: 200, type: 'text/plain', body: 'x'.repeat(2 ** 24) })
  const limits = { lifetime: 200 }
  const server = await servePages({ port: 0, host: '127.0.0.1', pages: new Map([['/livez', page]]), limits })
  t.after(() => server.close())
  const sockets = [
    '',
    'GET /li',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nx',
    'GET /livez HTTP/1.1\r\nHost: a\r\n\r\n',
  ]
  await Promise.all(
    sockets.map(async (sent) => {
      const socket = dial(server.port)
      let read = 0
      socket.on('data', ({ length }: Buffer) => {
        read += length
        socket.pause()
        setTimeout(() => socket.resume(), 20)
      })
      socket.write(sent)
      await once(socket, 'close')
      assert.ok(read < 2 ** 24)
    }),
  )
})

test('an answer that could not be made is made anew when its time is over', async () => {
  const clock = fakeClock()
  let made = 0
  const answer = shared(50, clock, () =>
    (made += 1) === 1 ? Promise.reject(new Error('not now')) : Promise.resolve(made),
  )
  await assert.rejects(answer())
  await clock.advance(50)
  assert.equal(await answer(), 2)
})
