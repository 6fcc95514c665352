import type { Socket } from 'node:net'

/** Milliseconds between two portions. */
const pause = 10

/** What is written from now on leaves byte by byte, at the rate: frames arrive in pieces. */
export function slowDown(socket: Socket, bytesPerSecond: number): void {
  const write = socket.write.bind(socket)
  const portion = Math.max(1, Math.round((bytesPerSecond * pause) / 1000))
  let waiting: Buffer = Buffer.alloc(0)
  const timer = setInterval(() => {
    if (waiting.length === 0) return
    write(waiting.subarray(0, portion))
    waiting = waiting.subarray(portion)
  }, pause)
  timer.unref()
  socket.once('close', () => clearInterval(timer))
  socket.write = (bytes: Uint8Array | string) => {
    waiting = Buffer.concat([waiting, Buffer.from(bytes as Uint8Array)])
    return true
  }
}
