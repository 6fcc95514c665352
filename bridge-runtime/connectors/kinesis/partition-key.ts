/**
 * How a record's key becomes a Kinesis partition key (1 to 256 characters of text) and back.
 *
 * Text is taken as it is. Other keys are marked: `streambridge:base64:…` holds any bytes, `streambridge:sha256:…` stands
 * for keys too long for that (their bytes cannot be had back), `streambridge:none:…` for no key. Different keys get
 * different partition keys, so order per key holds; text that looks marked is itself written as base64.
 */
import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { BridgeRecord } from '../../core/contracts.ts'

const longest = 256
const mark = 'streambridge:'
const base64 = `${mark}base64:`
const sha256 = `${mark}sha256:`
const none = `${mark}none:`

/** A record without a key gets one made from where it came from: such records spread over all shards, also when repeated. */
export function partitionKey({ key, position }: Pick<BridgeRecord, 'key' | 'position'>, origin: string): string {
  if (key === null) return none + crc32(`${origin}/${position}`).toString(36)
  if (key.length > 0 && key.length <= longest * 3 && isUtf8(key)) {
    const text = key.toString('utf8')
    if (text.length <= longest && !text.startsWith(mark)) return text
  }
  const encoded = base64 + key.toString('base64url')
  return encoded.length <= longest ? encoded : sha256 + createHash('sha256').update(key).digest('base64url')
}

/** The key a partition key was made from. Keys that were too long stay what they were replaced by. */
export function recordKey(partitionKey: string): Buffer | null {
  if (!partitionKey.startsWith(mark)) return Buffer.from(partitionKey, 'utf8')
  if (partitionKey.startsWith(none)) return null
  if (partitionKey.startsWith(base64)) return Buffer.from(partitionKey.slice(base64.length), 'base64url')
  return Buffer.from(partitionKey, 'utf8')
}
