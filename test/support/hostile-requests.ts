/** Requests that no honest client sends, over sockets of our own; for tests of the servers. */
import { connect, type Socket } from 'node:net'
import fc from 'fast-check'

/** A connection to a port of this machine. Its errors are no concern of the test: the server may cut it off. */
export function dial(port: number): Socket {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  return socket
}

/** Sends bytes and ends its side. Resolves with what came back once the connection is over, cut off or not. */
export function exchange(port: number, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = dial(port)
    const parts: Buffer[] = []
    socket.on('data', (part: Buffer) => parts.push(part))
    socket.on('close', () => resolve(Buffer.concat(parts).toString('latin1')))
    socket.end(bytes)
  })
}

/** The first line's number of an answer; 0 where the connection was cut off without one. */
export const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 ([0-9]{3})/.exec(answer)?.[1] ?? 0)

/** Asks on a connection of its own. */
export const get = async (port: number, path: string): Promise<number> =>
  statusOf(await exchange(port, `GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`))

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS', 'CONNECT', 'PRI', 'get', '']
const targets = ['/', '//', '//x', 'http://[', 'http://', '*', '/%', '/livez?%', '/../metrics', '/\0', '/__proto__']
const headers = [
  'Expect: 100-continue',
  'Expect: nothing',
  'Connection: upgrade\r\nUpgrade: websocket',
  'Content-Length: 99999999999',
  'Content-Length: -1',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nContent-Length: 3',
  `X: ${'x'.repeat(20_000)}`,
  ': nameless',
  'Host: [::',
]

const text = fc.string({ unit: 'binary', maxLength: 40 })

/** One request, more or less: odd methods, addresses, headers and bodies, and plain rubbish. */
export const hostileRequest: fc.Arbitrary<Buffer> = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc
    .record({
      method: fc.constantFrom(...methods),
      target: fc.oneof(
        fc.constantFrom(...targets),
        fc.constantFrom('/livez', '/metrics', '/status'),
        fc.webUrl(),
        text,
      ),
      version: fc.constantFrom('HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', ''),
      fields: fc.array(fc.oneof(fc.constantFrom(...headers), text), { maxLength: 4 }),
      body: text,
      times: fc.constantFrom(1, 1, 1, 2, 50),
    })
    .map(({ method, target, version, fields, body, times }) =>
      Buffer.from(
        `${[`${method} ${target} ${version}`, 'Host: x', ...fields].join('\r\n')}\r\n\r\n${body}`.repeat(times),
      ),
    ),
)

/** Sends hostile requests, seeded, and asks `/livez` after each. Rejects with the one after which the server was silent. */
export async function fuzz(port: number, seed: number, runs: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(hostileRequest, async (bytes) => {
      await exchange(port, bytes)
      return (await get(port, '/livez')) === 200
    }),
    { seed, numRuns: runs },
  )
}
