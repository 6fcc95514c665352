/**
 * Tells whether the data of the referenced Secrets has changed, without saying anything about it: a keyed hash of just the
 * named keys. A plain hash would let anyone who may read pods guess weak passwords; a Secret's resourceVersion would
 * restart pods when only a label changes.
 */
import { createHmac } from 'node:crypto'

export interface ChecksumOptions {
  /** The operator's own random key. */
  readonly key: Buffer
  /** Two bridges with the same password have different checksums. */
  readonly uid: string
}

/** One Secret's checksum over the named keys; a missing key counts as missing, not as empty. `data` is base64, as stored. */
export function secretChecksum(
  { key, uid }: ChecksumOptions,
  secretName: string,
  keys: readonly string[],
  data: Readonly<Record<string, string>>,
): string {
  const hmac = createHmac('sha256', key)
  // JSON keeps the parts apart, so that no two different inputs give one text.
  hmac.update(JSON.stringify([uid, secretName, keys.map((name) => [name, data[name] ?? null])]))
  return hmac.digest('hex').slice(0, 32)
}
