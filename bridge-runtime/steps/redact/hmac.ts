import { hash } from 'node:crypto'

/** Bytes that SHA-256 takes at once. */
const block = 64

/**
 * HMAC-SHA-256 (RFC 2104) with one key, in hexadecimal. Made of two hashes: `createHmac` takes twenty times as long for a short text,
 * nearly all of it to make an object.
 */
export function hmacSha256(key: Buffer): (text: string | Buffer) => string {
  const whole = Buffer.alloc(block)
  if (key.length > block) hash('sha256', key, 'buffer').copy(whole)
  else key.copy(whole)
  const inner = whole.map((byte) => byte ^ 0x36)
  const outer = Buffer.alloc(block + 32)
  for (const [index, byte] of whole.entries()) outer[index] = byte ^ 0x5c
  return (text) => {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text
    hash('sha256', Buffer.concat([inner, bytes]), 'buffer').copy(outer, block)
    return hash('sha256', outer, 'hex')
  }
}
