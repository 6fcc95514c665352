/**
 * Which partition a partition key belongs to: Bob Jenkins' lookup3 over the key's UTF-8, folded to 16 bits, as the service
 * and its own clients compute it. Computed here so that events of many keys can share a batch of their partition.
 */

const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits))

/** The 16-bit signed hash of a key. */
export function hashOfKey(bytes: Uint8Array): number {
  const { length } = bytes
  let a = (0xdeadbeef + length) | 0
  let b = a
  let c = a
  let at = 0
  for (; length - at > 12; at += 12) {
    a = (a + word(bytes, at)) | 0
    b = (b + word(bytes, at + 4)) | 0
    c = (c + word(bytes, at + 8)) | 0
    a = ((a - c) ^ rotate(c, 4)) | 0
    c = (c + b) | 0
    b = ((b - a) ^ rotate(a, 6)) | 0
    a = (a + c) | 0
    c = ((c - b) ^ rotate(b, 8)) | 0
    b = (b + a) | 0
    a = ((a - c) ^ rotate(c, 16)) | 0
    c = (c + b) | 0
    b = ((b - a) ^ rotate(a, 19)) | 0
    a = (a + c) | 0
    c = ((c - b) ^ rotate(b, 4)) | 0
    b = (b + a) | 0
  }
  if (at < length) {
    a = (a + word(bytes, at)) | 0
    b = (b + word(bytes, at + 4)) | 0
    c = (c + word(bytes, at + 8)) | 0
    c = ((c ^ b) - rotate(b, 14)) | 0
    a = ((a ^ c) - rotate(c, 11)) | 0
    b = ((b ^ a) - rotate(a, 25)) | 0
    c = ((c ^ b) - rotate(b, 16)) | 0
    a = ((a ^ c) - rotate(c, 4)) | 0
    b = ((b ^ a) - rotate(a, 14)) | 0
    c = ((c ^ b) - rotate(b, 24)) | 0
  }
  return ((c ^ b) << 16) >> 16
}

/** Four bytes, little-endian; beyond the end they are zero. */
const word = (bytes: Uint8Array, at: number): number =>
  (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)

/** Index of the partition among `partitions`. */
export const partitionOf = (key: Uint8Array, partitions: number): number => Math.abs(hashOfKey(key) % partitions)
