/**
 * Preloaded into kinesis-local: it asks each new connection for its peer's address after a turn of the event loop, and stops
 * listening for ever when the peer is gone by then and there is none. Here a connection that is gone already is dropped, and
 * the others remember their addresses.
 */
import { Server, type Socket } from 'node:net'

const addresses = ['remoteAddress', 'remoteFamily', 'remotePort', 'localAddress', 'localFamily', 'localPort'] as const

const { prototype } = Server
const emit = Reflect.get(prototype, 'emit') as (this: Server, ...args: unknown[]) => boolean

prototype.emit = function (this: Server, event: string | symbol, ...args: unknown[]): boolean {
  if (event !== 'connection') return emit.call(this, event, ...args)
  const socket = args[0] as Socket
  if (socket.remoteAddress === undefined) {
    socket.destroy()
    return true
  }
  for (const name of addresses) Object.defineProperty(socket, name, { value: socket[name] })
  return emit.call(this, event, ...args)
}
