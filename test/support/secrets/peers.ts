/** Servers on the loopback that refuse everybody, and quote whatever they were sent. */
import { createServer as createHttpServer } from 'node:http'
import { createSecureServer } from 'node:http2'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { Certificate } from '../certificates.ts'

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** Kafka's requests: a size, a kind, a version, a number to answer with. */
function refuseLogins(socket: Socket): void {
  let buffered = Buffer.alloc(0)
  const answer = (correlation: Buffer, ...parts: readonly Buffer[]): void => {
    const body = Buffer.concat([correlation, ...parts])
    const size = Buffer.alloc(4)
    size.writeInt32BE(body.length)
    socket.write(Buffer.concat([size, body]))
  }
  socket.on('error', () => undefined)
  socket.on('data', (bytes: Buffer) => {
    buffered = Buffer.concat([buffered, bytes])
    while (buffered.length >= 4 && buffered.length >= 4 + buffered.readInt32BE(0)) {
      const request = buffered.subarray(4, 4 + buffered.readInt32BE(0))
      buffered = buffered.subarray(4 + request.length)
      const correlation = request.subarray(4, 8)
      const kind = request.readInt16BE(0)
      // ApiVersions: SaslAuthenticate in version 2.
      if (kind === 18) answer(correlation, Buffer.from([0, 0, 0, 0, 0, 1, 0, 36, 0, 2, 0, 2, 0, 0, 0, 0]))
      // SaslHandshake: any mechanism will do.
      else if (kind === 17) answer(correlation, Buffer.from([0, 0, 0, 0, 0, 0]))
      else if (kind === 36) {
        const said = request.subarray(8).toString('latin1').replaceAll('\0', ' ').slice(0, 120)
        const text = Buffer.from(`refused: ${said}`, 'latin1')
        const error = Buffer.from([0, 58])
        const tail = Buffer.concat([Buffer.from([1]), Buffer.alloc(8), Buffer.from([0])])
        answer(correlation, Buffer.from([0]), error, varint(text.length + 1), text, tail)
      } else socket.destroy()
    }
  })
}

function varint(value: number): Buffer {
  return value < 128 ? Buffer.from([value]) : Buffer.from([(value & 127) | 128, value >> 7])
}

export interface Peers extends Disposable {
  /** Ports. */
  readonly kafka: number
  /** Asks for a client's certificate, and hangs up. */
  readonly kafkaTls: number
  readonly kinesis: number
  /** gRPC over TLS. */
  readonly pubsub: number
}

export async function startPeers({ cert, key }: Certificate): Promise<Peers> {
  const kafka = createServer(refuseLogins)
  const kafkaTls = createTlsServer({ cert, key, requestCert: true, rejectUnauthorized: false }, (socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.destroy())
  })
  kafkaTls.on('tlsClientError', () => undefined)
  const kinesis = createHttpServer((request, response) => {
    request.resume()
    const quoted = `${request.headers.authorization} ${String(request.headers['x-amz-security-token'])}`
    const __type = Math.random() < 0.5 ? 'IncompleteSignatureException' : 'NeverHeardOfException'
    response.writeHead(400, { 'content-type': 'application/x-amz-json-1.1' })
    response.end(JSON.stringify({ __type, message: `'${quoted}' is not valid` }))
  })
  const pubsub = createSecureServer({ cert, key })
  pubsub.on('stream', (stream, headers) => {
    const said = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`)
    // As gRPC encodes messages, so that the client sees what it sent.
    const quoted = said.join(' ').replaceAll('%', '%25').slice(0, 4_000)
    const fields = { 'content-type': 'application/grpc', 'grpc-status': '9', 'grpc-message': quoted }
    stream.on('error', () => undefined).respond({ ':status': 200, ...fields }, { endStream: true })
  })
  pubsub.on('sessionError', () => undefined)
  pubsub.on('session', (session) => session.on('error', () => undefined))
  const servers = [kafka, kafkaTls, kinesis, pubsub]
  const open = new Set<Socket>()
  for (const server of servers)
    server.on('connection', (socket: Socket) => {
      open.add(socket)
      socket.on('close', () => open.delete(socket))
    })
  const [kafkaPort = 0, kafkaTlsPort = 0, kinesisPort = 0, pubsubPort = 0] = await Promise.all(servers.map(listening))
  return {
    kafka: kafkaPort,
    kafkaTls: kafkaTlsPort,
    kinesis: kinesisPort,
    pubsub: pubsubPort,
    [Symbol.dispose]() {
      for (const server of servers) server.close()
      for (const socket of open) socket.destroy()
    },
  }
}
