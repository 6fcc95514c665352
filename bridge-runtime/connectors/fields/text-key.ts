/**
 * How a record's key, which is bytes, becomes the text that a service takes for a key, and back.
 *
 * Text is taken as it is. Other keys are marked: `streambridge:base64:…` holds any bytes, `streambridge:sha256:…` stands
 * for keys too long for that (their bytes cannot be had back from it). Different keys get different texts, so order per
 * key holds; text that looks marked is itself written as base64.
 */
import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'

/** Begins every text that is not a key itself. */
export const mark = 'streambridge:'
const base64 = `${mark}base64:`
const sha256 = `${mark}sha256:`

/**
 * @param fits whether the service takes a text of this form, by its length; it must take the 63 characters of a digest
 */
export function textOfKey(key: Buffer, fits: (text: string) => boolean): string {
  if (key.length > 0 && isUtf8(key)) {
    const text = key.toString('utf8')
    if (!text.startsWith(mark) && fits(text)) return text
  }
  const encoded = base64 + key.toString('base64url')
  return fits(encoded) ? encoded : digestOf(key)
}

/** True when the text tells the whole key. */
export const tellsKey = (text: string): boolean => !text.startsWith(sha256)

/** Whether the text is the digest of this key. */
export const standsFor = (text: string, key: Buffer): boolean => text === digestOf(key)

const digestOf = (key: Buffer): string => sha256 + createHash('sha256').update(key).digest('base64url')

/**
 * The key a text was made from. A digest stays what it is: the key itself cannot be had from it. So does a text that only looks
 * marked: another program's key, from which something would be lost.
 */
export function keyOfText(text: string): Buffer {
  if (text.startsWith(base64)) {
    const key = Buffer.from(text.slice(base64.length), 'base64url')
    if (textOfKey(key, () => true) === text) return key
  }
  return Buffer.from(text, 'utf8')
}
