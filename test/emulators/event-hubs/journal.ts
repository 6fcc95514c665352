/** One partition's file: what happened to it, appended, so that the emulator can be killed and started again. */
import { closeSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import type { EventBytes } from './event.ts'

export type Entry =
  /** A batch: all of it or nothing. */
  | { readonly kind: 'append'; readonly enqueuedTime: number; readonly events: readonly EventBytes[] }
  /** Events before the sequence number are gone. */
  | { readonly kind: 'trim'; readonly before: number }
  /** The next event gets this sequence number. */
  | { readonly kind: 'jump'; readonly next: number }

const kinds = ['append', 'trim', 'jump'] as const
const noKey = 0xffff_ffff
/** Length and checksum of the entry that follows. */
const headLength = 8

const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value, 0)
  return bytes
}

function encodeEvent({ bytes, partitionKey }: EventBytes): Buffer[] {
  const key = Buffer.from(partitionKey ?? '', 'utf8')
  const lengths = Buffer.alloc(8)
  lengths.writeUInt32BE(partitionKey === undefined ? noKey : key.length, 0)
  lengths.writeUInt32BE(bytes.length, 4)
  return [lengths, key, bytes]
}

export function encodeEntry(entry: Entry): Buffer {
  const kind = Buffer.from([kinds.indexOf(entry.kind)])
  if (entry.kind === 'trim') return Buffer.concat([kind, number(entry.before)])
  if (entry.kind === 'jump') return Buffer.concat([kind, number(entry.next)])
  return Buffer.concat([kind, number(entry.enqueuedTime), ...entry.events.flatMap(encodeEvent)])
}

function decodeEvents(bytes: Buffer, from: number): EventBytes[] {
  const events: EventBytes[] = []
  for (let at = from; at < bytes.length; ) {
    const keyLength = bytes.readUInt32BE(at)
    const keyEnd = at + 8 + (keyLength === noKey ? 0 : keyLength)
    const end = keyEnd + bytes.readUInt32BE(at + 4)
    const partitionKey = keyLength === noKey ? undefined : bytes.toString('utf8', at + 8, keyEnd)
    events.push({ partitionKey, bytes: bytes.subarray(keyEnd, end) })
    at = end
  }
  return events
}

export function decodeEntry(bytes: Buffer): Entry {
  const kind = kinds[bytes.readUInt8(0)]
  const value = bytes.readDoubleBE(1)
  if (kind === 'trim') return { kind, before: value }
  if (kind === 'jump') return { kind, next: value }
  return { kind: 'append', enqueuedTime: value, events: decodeEvents(bytes, 9) }
}

export class Journal {
  readonly #file: number
  readonly #fsync: boolean
  #end = 0

  /** Opens or makes the file. With `fsync` what was appended also survives a loss of power. */
  constructor(path: string, fsync: boolean) {
    this.#file = openSync(path, 'a+')
    this.#fsync = fsync
  }

  /** What was appended so far. An entry that a crash left unfinished at the end is cut off. */
  *entries(): Generator<Entry> {
    for (;;) {
      const entry = this.#next()
      if (entry === undefined) return ftruncateSync(this.#file, this.#end)
      yield entry
    }
  }

  #read(length: number, at: number): Buffer | undefined {
    const bytes = Buffer.alloc(length)
    let done = 0
    while (done < length) {
      const count = readSync(this.#file, bytes, done, length - done, at + done)
      if (count === 0) return undefined
      done += count
    }
    return bytes
  }

  #next(): Entry | undefined {
    const head = this.#read(headLength, this.#end)
    if (head === undefined) return undefined
    const length = head.readUInt32BE(0)
    const body = this.#read(length, this.#end + headLength)
    if (body === undefined || crc32(body) !== head.readUInt32BE(4)) return undefined
    this.#end += headLength + length
    return decodeEntry(body)
  }

  append(entry: Entry): void {
    const body = encodeEntry(entry)
    const bytes = Buffer.alloc(headLength + body.length)
    bytes.writeUInt32BE(body.length, 0)
    bytes.writeUInt32BE(crc32(body), 4)
    body.copy(bytes, headLength)
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#file, bytes, done)
    this.#end += bytes.length
    if (this.#fsync) fsyncSync(this.#file)
  }

  close(): void {
    closeSync(this.#file)
  }
}
