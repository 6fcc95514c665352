/** What the connector uses of rhea that its types do not promise: an upgrade that changes it must fail here, not under load. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, Socket } from 'node:net'
import { test } from 'node:test'
import rhea from 'rhea'

interface Inside {
  readonly socket: unknown
  readonly socket_ready: unknown
  readonly _disconnected: unknown
}

test('rhea has the parts that the connector leans on, and they do what it expects', async (t) => {
  const peer = rhea.create_container()
  const server = peer.listen({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  t.after(() => server.close())
  const formats: unknown[] = []
  peer.on('sender_open', ({ sender }) => sender?.send({ body: 'x' }))
  const { port } = server.address() as AddressInfo
  const connection = rhea.create_container().connect({ host: '127.0.0.1', port, reconnect: false })
  t.after(() => connection.close())
  await once(connection, 'connection_open')

  const { socket, socket_ready: ready, _disconnected: disconnected } = connection as unknown as Inside
  assert.ok(socket instanceof Socket, 'connection.socket is what is listened to and destroyed')
  assert.equal(ready, true, 'connection.socket_ready is set to false before it is ended')
  assert.equal(typeof disconnected, 'function', 'connection._disconnected ends what the library still does')

  const session = connection.create_session()
  session.begin()
  const { incoming } = session as unknown as {
    readonly incoming: { on_transfer(frame: { performative: { message_format: number } }, receiver: unknown): void }
  }
  assert.equal(typeof incoming.on_transfer, 'function', 'session.incoming.on_transfer hands messages over')
  const onTransfer = incoming.on_transfer.bind(incoming)
  incoming.on_transfer = (frame, receiver) => {
    formats.push(frame.performative.message_format)
    frame.performative.message_format = 1
    onTransfer(frame, receiver)
  }
  const receiver = session.open_receiver({ source: 'q', credit_window: 0, autoaccept: false })
  await once(receiver, 'receiver_open')
  receiver.add_credit(3)
  assert.equal(
    (receiver as unknown as { readonly credit: number }).credit,
    3,
    'receiver.credit counts what was granted',
  )
  const [{ message }] = (await once(receiver, 'message')) as [{ readonly message: unknown }]
  assert.deepEqual(formats, [0], 'a message of AMQP has format 0')
  assert.ok(Buffer.isBuffer(message), 'a message of another format comes as its bytes')
  assert.equal((receiver as unknown as { readonly credit: number }).credit, 2, 'a message takes credit')
})
