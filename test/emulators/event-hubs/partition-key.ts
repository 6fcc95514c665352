/** Which partition a partition key belongs to: Bob Jenkins' lookup3, folded to 16 bits, as the service computes it. */

interface State {
  a: number
  b: number
  c: number
}

const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits))

function mix(s: State): void {
  s.a = ((s.a - s.c) ^ rotate(s.c, 4)) | 0
  s.c = (s.c + s.b) | 0
  s.b = ((s.b - s.a) ^ rotate(s.a, 6)) | 0
  s.a = (s.a + s.c) | 0
  s.c = ((s.c - s.b) ^ rotate(s.b, 8)) | 0
  s.b = (s.b + s.a) | 0
  s.a = ((s.a - s.c) ^ rotate(s.c, 16)) | 0
  s.c = (s.c + s.b) | 0
  s.b = ((s.b - s.a) ^ rotate(s.a, 19)) | 0
  s.a = (s.a + s.c) | 0
  s.c = ((s.c - s.b) ^ rotate(s.b, 4)) | 0
  s.b = (s.b + s.a) | 0
}

function finish(s: State): void {
  s.c = ((s.c ^ s.b) - rotate(s.b, 14)) | 0
  s.a = ((s.a ^ s.c) - rotate(s.c, 11)) | 0
  s.b = ((s.b ^ s.a) - rotate(s.a, 25)) | 0
  s.c = ((s.c ^ s.b) - rotate(s.b, 16)) | 0
  s.a = ((s.a ^ s.c) - rotate(s.c, 4)) | 0
  s.b = ((s.b ^ s.a) - rotate(s.a, 14)) | 0
  s.c = ((s.c ^ s.b) - rotate(s.b, 24)) | 0
}

function addBlock(s: State, bytes: Buffer, at: number): void {
  s.a = (s.a + bytes.readUInt32LE(at)) | 0
  s.b = (s.b + bytes.readUInt32LE(at + 4)) | 0
  s.c = (s.c + bytes.readUInt32LE(at + 8)) | 0
}

/** The 16-bit signed hash of a key (as UTF-8). */
export function hashPartitionKey(key: string): number {
  const bytes = Buffer.from(key, 'utf8')
  const start = (0xdeadbeef + bytes.length) | 0
  const s: State = { a: start, b: start, c: start }
  let at = 0
  for (; bytes.length - at > 12; at += 12) {
    addBlock(s, bytes, at)
    mix(s)
  }
  if (bytes.length > at) {
    // Zeros add nothing, so a short last block is a padded one.
    const last = Buffer.alloc(12)
    bytes.copy(last, 0, at)
    addBlock(s, last, 0)
    finish(s)
  }
  return ((s.c ^ s.b) << 16) >> 16
}

/** Index of the partition among `partitions`. */
export const partitionOf = (key: string, partitions: number): number => Math.abs(hashPartitionKey(key) % partitions)
