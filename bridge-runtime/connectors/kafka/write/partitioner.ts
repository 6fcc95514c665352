/** Which partition a record goes to: the same as the Java client says, so that keys keep their partition. */

/** Kafka's murmur2 (seed 0x9747b28c), as a signed 32-bit integer. */
export function murmur2(key: Buffer): number {
  const m = 0x5bd1e995
  const length = key.length
  let h = 0x9747b28c ^ length
  const whole = length - (length % 4)
  for (let at = 0; at < whole; at += 4) {
    let k = Math.imul(key.readInt32LE(at), m)
    k = Math.imul(k ^ (k >>> 24), m)
    h = Math.imul(h, m) ^ k
  }
  if (whole < length) {
    for (let at = length - 1; at >= whole; at--) h ^= (key[at] ?? 0) << (8 * (at - whole))
    h = Math.imul(h, m)
  }
  h = Math.imul(h ^ (h >>> 13), m)
  return h ^ (h >>> 15)
}

/** The partition of a key among `count`. */
export const partitionOfKey = (key: Buffer, count: number): number => (murmur2(key) & 0x7fffffff) % count

/**
 * The sink's partition for a whole source partition: its number (the digits at the end of its name) modulo the sink's
 * partitions, or the hash of a name without a number.
 */
export function partitionOfSource(partition: string, count: number): number {
  const digits = /[0-9]+$/.exec(partition)?.[0]
  return digits === undefined ? partitionOfKey(Buffer.from(partition), count) : Number(BigInt(digits) % BigInt(count))
}
