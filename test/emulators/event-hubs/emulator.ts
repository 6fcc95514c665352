/** The emulator: an AMQP server that behaves as an Event Hubs namespace. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { type AdminServer, startAdmin } from './admin.ts'
import {
  type Connection,
  createContainer,
  type EventContext,
  maxFrameSize,
  prepareConnection,
  prepareSession,
} from './amqp.ts'
import { type AttachContext, attachReceiver, attachSender } from './attach.ts'
import { Client } from './client.ts'
import { condition } from './conditions.ts'
import { Faults } from './faults.ts'
import { Hubs } from './hubs.ts'
import { watchIdle } from './idle.ts'
import { defaults, type EmulatorOptions } from './options.ts'
import { describe, putToken } from './requests.ts'
import type { Keys } from './sas.ts'

export interface Emulator extends AsyncDisposable {
  readonly port: number
  /** Undefined without the admin API. */
  readonly adminPort: number | undefined
  /** Closes connections as a service that goes down does. Everything stored is on file by then, if there are files. */
  close(): Promise<void>
}

/** Milliseconds for clients to answer a close. */
const grace = 200

type Container = ReturnType<typeof createContainer>

function newContainer(): Container {
  const container = createContainer({})
  const mechanisms = container.sasl_server_mechanisms as Record<string, unknown> & { enable_anonymous(): void }
  mechanisms.enable_anonymous()
  // Other SDKs choose these; the token over $cbs is what counts.
  const willing = (): object => ({ outcome: true, start: () => undefined, step: () => undefined })
  mechanisms['MSSBCBS'] = willing
  mechanisms['EXTERNAL'] = willing
  return container
}

function follow(context: AttachContext, client: Client): void {
  const { connection } = client
  const { log } = context.options
  connection.on('session_open', ({ session }: EventContext) => session && prepareSession(session))
  connection.on('receiver_open', ({ receiver }: EventContext) => receiver && attachReceiver(context, client, receiver))
  connection.on('sender_open', ({ sender }: EventContext) => sender && attachSender(context, client, sender))
  connection.on('session_close', ({ session }: EventContext) => session && client.sessionEnded(session))
  connection.on('connection_close', () => client.ended())
  connection.on('disconnected', () => client.ended())
  for (const name of ['error', 'protocol_error'])
    connection.on(name, (error: Error) => log(`${client.peer}: ${name}: ${error.stack ?? String(error)}`))
  for (const name of ['connection_error', 'session_error', 'receiver_error', 'sender_error'])
    connection.on(name, () => log(`${client.peer}: ${name}`))
}

interface Listening {
  readonly container: Container
  readonly clients: Set<Client>
  readonly context: AttachContext
}

function accept(socket: Socket, { container, clients, context }: Listening): void {
  const { idleTimeout, now } = context.options
  // A reset is no news: the close that follows is what counts.
  socket.on('error', () => undefined)
  const connection = container.create_connection({
    idle_time_out: idleTimeout,
    max_frame_size: maxFrameSize,
    channel_max: 4999,
    tcp_no_delay: true,
    receiver_options: { autoaccept: false, credit_window: 0 },
  } as unknown as Parameters<Container['create_connection']>[0])
  prepareConnection(connection)
  const client = new Client(connection, socket, now)
  clients.add(client)
  socket.once('close', () => clients.delete(client))
  const fault = context.faults.next('connect', {})
  if (fault?.do === 'refuse') return socket.destroy() && undefined
  follow(context, client)
  ;(connection as Connection & { accept(socket: Socket): void }).accept(socket)
  if (fault !== undefined) client.disturb(fault)
}

const listen = (server: Server, port: number, host: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })

async function closeAll(server: Server, clients: ReadonlySet<Client>): Promise<void> {
  const closed = new Promise<void>((resolve) => void server.close(() => resolve()))
  for (const client of clients) client.close(condition.connectionForced, 'The service is shutting down.')
  const timer = setTimeout(() => {
    for (const client of clients) client.destroy()
  }, grace)
  await closed
  clearTimeout(timer)
}

/** Starts listening. Rejects when a port is taken or the folder cannot be read. */
export async function startEmulator(given: Partial<EmulatorOptions>): Promise<Emulator> {
  const options = { ...defaults, ...given }
  const { now, data, fsync, retention, throughput, hubs: wanted } = options
  const hubs = new Hubs({ now, folder: data, fsync, retention, throughput })
  for (const spec of wanted) hubs.ensure(spec)
  const faults = new Faults(options.random)
  const clients = new Set<Client>()
  let keys = options.keys
  const needsToken = (): boolean => options.requireToken || keys.size > 0
  const context: AttachContext = {
    options,
    hubs,
    faults,
    needsToken,
    putToken: putToken(() => keys, now),
    describe: describe({ hubs, needsToken }),
  }
  const container = newContainer()
  const server = createServer((socket) => accept(socket, { container, clients, context }))
  await listen(server, options.port, options.host)
  const setKeys = (next: Keys): void => void (keys = next)
  const admin: AdminServer | undefined =
    options.adminPort === undefined
      ? undefined
      : await startAdmin(options.adminPort, { hubs, faults, clients, setKeys })
  const stopWatching = watchIdle(options, clients)
  const close = async (): Promise<void> => {
    stopWatching()
    await Promise.all([closeAll(server, clients), admin?.close()])
    hubs.close()
  }
  return { port: (server.address() as AddressInfo).port, adminPort: admin?.port, close, [Symbol.asyncDispose]: close }
}
