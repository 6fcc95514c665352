import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { eventually } from '../eventually.ts'
import { startTcpProxy } from './tcp-proxy.ts'

let received = 0
const echo = createServer((socket) => {
  socket.on('error', () => undefined)
  socket.on('data', (chunk) => {
    received += chunk.length
    socket.write(chunk)
  })
})
let target = ''

before(async () => {
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
  const address = echo.address()
  target = typeof address === 'object' && address !== null ? `127.0.0.1:${address.port}` : ''
})
after(() => void echo.close())

interface Talk {
  readonly socket: Socket
  heard: string
  error: string | undefined
}

async function talkTo(port: number): Promise<Talk> {
  const socket = connect(port, '127.0.0.1')
  const talk: Talk = { socket, heard: '', error: undefined }
  socket.on('data', (chunk: Buffer) => (talk.heard += chunk.toString()))
  socket.on('error', (error) => (talk.error = 'code' in error ? String(error.code) : error.message))
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined)
  return talk
}

test('without faults everything passes both ways', async () => {
  await using proxy = await startTcpProxy(target)
  const talk = await talkTo(proxy.port)
  talk.socket.write('hello')
  await eventually('the echo', () => talk.heard === 'hello')
  talk.socket.end()
  await eventually('no connection', () => proxy.connections === 0)
})

test('a black hole swallows both ways and keeps the connection', async () => {
  await using proxy = await startTcpProxy(target)
  const talk = await talkTo(proxy.port)
  proxy.fault({ drop: ['toServer', 'toClient'] })
  talk.socket.write('lost')
  await eventually('the loss', () => proxy.dropped === 4)
  proxy.fault()
  talk.socket.write('kept')
  await eventually('the echo', () => talk.heard === 'kept')
  assert.equal(proxy.cuts, 0)
})

test('half open: the server gets the request and the client never its answer', async () => {
  await using proxy = await startTcpProxy(target)
  const talk = await talkTo(proxy.port)
  const already = received
  proxy.fault({ drop: ['toClient'] })
  talk.socket.write('hello')
  await eventually('the request', () => received === already + 5)
  await eventually('the loss', () => proxy.dropped === 5)
  assert.equal(talk.heard, '')
})

test('a lost answer: the server has the request when the connection is reset', async () => {
  await using proxy = await startTcpProxy(target)
  const talk = await talkTo(proxy.port)
  const already = received
  proxy.fault({ loseAnswerAfter: 5 })
  talk.socket.write('hello')
  await eventually('the reset', () => talk.error === 'ECONNRESET')
  assert.deepEqual([received - already, talk.heard, proxy.cuts], [5, '', 1])
})

test('a cut comes after exactly so many bytes', async () => {
  await using proxy = await startTcpProxy(target)
  const talk = await talkTo(proxy.port)
  const already = received
  proxy.fault({ cutAfter: { direction: 'toServer', bytes: 3 } })
  talk.socket.write('hello')
  await eventually('the reset', () => talk.error !== undefined)
  await eventually('the first bytes', () => received - already === 3)
})

test('a reset ends open connections, refusing ends new ones', async () => {
  await using proxy = await startTcpProxy(target)
  const talk = await talkTo(proxy.port)
  await eventually('the connection', () => proxy.connections === 1)
  proxy.reset()
  await eventually('the reset', () => talk.error === 'ECONNRESET')
  proxy.fault({ refuse: true })
  const refused = await talkTo(proxy.port)
  await eventually('the second reset', () => refused.error === 'ECONNRESET')
})

test('a connection that begins as another protocol is reset, others pass', async () => {
  await using proxy = await startTcpProxy(target)
  proxy.fault({ refuseStarting: 'GET ' })
  const [get, other] = [await talkTo(proxy.port), await talkTo(proxy.port)]
  get.socket.write('GET / HTTP/1.1')
  other.socket.write('PRI * HTTP/2.0')
  await eventually('the reset', () => get.error === 'ECONNRESET')
  await eventually('the echo', () => other.heard === 'PRI * HTTP/2.0')
})

test('latency delays and keeps the order', async () => {
  await using proxy = await startTcpProxy(target)
  const talk = await talkTo(proxy.port)
  proxy.fault({ latency: 30 })
  const begin = performance.now()
  for (const letter of 'abcde') talk.socket.write(letter)
  await eventually('the echo', () => talk.heard === 'abcde')
  assert.ok(performance.now() - begin >= 55, 'both directions wait')
})
